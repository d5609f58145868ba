package admin

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"serin/gate/notify"
)

// Signed links let a person act from a message, without a token: whoever has the link has the right to this one act.
//
//	/links/PAYLOAD.MAC     PAYLOAD: rollout, verb, version, owner, expiry      MAC: HMAC-SHA256 with a key of state.dir
//
// A link is good for one version of one rollout, so anything decided since makes it void; until it expires; and once: its use
// is on disk before the act. Opening it shows a page and does nothing, so a chat's preview cannot act.
const (
	linkPath   = "/links/"
	linkLife   = 24 * time.Hour
	maxUsed    = 10_000 // remembered; a link dies with its version long before
	keyFile    = "links.key"
	usedFile   = "links-used.json"
	linkDomain = "serin link 1\n"
)

// Errors of a link. ErrLink says nothing of why: whoever made it up learns nothing.
var (
	ErrLink        = errors.New("this is no link of this serin")
	ErrLinkExpired = errors.New("this link has expired")
	ErrLinkUsed    = errors.New("this link has been used")
)

// Grant is what a link allows: approve, or rollback.
type Grant struct {
	Rollout string `json:"r"`
	Verb    string `json:"v"`
	Version uint64 `json:"n"`
	Owner   string `json:"o,omitempty"` // in whose name a stage is approved
	Expires int64  `json:"e"`           // Unix seconds
}

// Links makes and checks links. Safe for concurrent use.
type Links struct {
	base string // "https://serin.example", without a slash at its end
	key  []byte
	path string

	mu   sync.Mutex
	used map[string]int64 // guarded by mu: by digest of the payload, when the link expires
}

// OpenLinks takes the key of a state directory, making one (mode 0600) where there is none. base is where people reach the
// admin listener.
func OpenLinks(dir, base string) (*Links, error) {
	key, err := linkKey(filepath.Join(dir, keyFile))
	if err != nil {
		return nil, fmt.Errorf("take the key of links: %w", err)
	}
	l := &Links{base: strings.TrimSuffix(base, "/"), key: key, path: filepath.Join(dir, usedFile), used: map[string]int64{}}
	body, err := os.ReadFile(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err == nil {
		err = json.Unmarshal(body, &l.used)
	}
	if err != nil {
		return nil, fmt.Errorf("read the links that were used: %w", err)
	}
	if l.used == nil {
		l.used = map[string]int64{}
	}
	return l, nil
}

func linkKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	switch {
	case err == nil && len(key) == sha256.Size:
		return key, nil
	case err == nil:
		return nil, fmt.Errorf("%s has %d bytes, want %d: remove it, and a new one is made", path, len(key), sha256.Size)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	key = make([]byte, sha256.Size)
	rand.Read(key)
	return key, notify.Replace(path, key)
}

// Make signs a link that ends with the grant's expiry; 0 is a day.
func (l *Links) Make(g Grant) (url string, expires time.Time) {
	if g.Expires == 0 {
		g.Expires = time.Now().Add(linkLife).Unix()
	}
	body, err := json.Marshal(g)
	if err != nil {
		panic("BUG: a grant is no JSON: " + err.Error())
	}
	payload := base64.RawURLEncoding.EncodeToString(body)
	return l.base + linkPath + payload + "." + base64.RawURLEncoding.EncodeToString(l.mac(payload)), time.Unix(g.Expires, 0)
}

// Home is the page that every message can lead to.
func (l *Links) Home() string { return l.base + "/" }

func (l *Links) mac(payload string) []byte {
	m := hmac.New(sha256.New, l.key)
	m.Write([]byte(linkDomain + payload))
	return m.Sum(nil)
}

// Check reads a link. ErrLinkUsed and ErrLinkExpired come with what it was for.
func (l *Links) Check(link string, now time.Time) (Grant, error) {
	payload, mac, _ := strings.Cut(link, ".")
	given, err := base64.RawURLEncoding.DecodeString(mac)
	if err != nil || !hmac.Equal(given, l.mac(payload)) {
		return Grant{}, ErrLink
	}
	body, err := base64.RawURLEncoding.DecodeString(payload)
	var g Grant
	if err != nil || json.Unmarshal(body, &g) != nil || g.Verb != "approve" && g.Verb != "rollback" {
		return Grant{}, ErrLink
	}
	l.mu.Lock()
	_, used := l.used[digest(payload)]
	l.mu.Unlock()
	switch {
	case used:
		return g, ErrLinkUsed
	case now.Unix() >= g.Expires:
		return g, ErrLinkExpired
	}
	return g, nil
}

// Use takes a link that Check found good, once: of two at the same moment one gets ErrLinkUsed. The error of a disk that does
// not take it comes after it is used in memory, so that nobody can use it again in this process.
func (l *Links) Use(link string, g Grant) error {
	payload, _, _ := strings.Cut(link, ".")
	l.mu.Lock()
	defer l.mu.Unlock()
	key := digest(payload)
	if _, used := l.used[key]; used {
		return ErrLinkUsed
	}
	l.forget(time.Now().Unix())
	l.used[key] = g.Expires
	return l.save()
}

// Release gives a link back whose act was not done.
func (l *Links) Release(link string) error {
	payload, _, _ := strings.Cut(link, ".")
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.used, digest(payload))
	return l.save()
}

// save writes what was used, with mu held: a link is used a few times a day.
func (l *Links) save() error {
	body, err := json.Marshal(l.used)
	if err != nil {
		return err
	}
	return notify.Replace(l.path, body)
}

// forget drops what has expired, and where that is not enough what expires first. With mu held.
func (l *Links) forget(now int64) {
	for key, expires := range l.used {
		if expires <= now {
			delete(l.used, key)
		}
	}
	for len(l.used) >= maxUsed {
		oldest := ""
		for key, expires := range l.used {
			if oldest == "" || expires < l.used[oldest] {
				oldest = key
			}
		}
		delete(l.used, oldest)
	}
}

// digest names a payload without holding it: the file of used links opens nothing.
func digest(payload string) string {
	sum := sha256.Sum256([]byte(payload))
	return hex.EncodeToString(sum[:16])
}
