package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"serin/router"
)

var _ router.Claims = (*Verifier)(nil)

const secret = "0123456789abcdef0123456789abcdef"

// part is one part of a token.
func part(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// hs256 signs claims with a secret, under any header.
func hs256(head, claims, key string) []byte {
	signed := part(head) + "." + part(claims)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(signed))
	return []byte(signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)))
}

func keys(t testing.TB, data string) Keys {
	t.Helper()
	k, err := ParseKeys([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func publicPEM(t testing.TB, key crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

const head = `{"alg":"HS256","typ":"JWT"}`

func TestVerifier_RightSignature_VouchesForClaims(t *testing.T) {
	t.Parallel()
	v := New(keys(t, secret), Options{})
	token := hs256(head, `{"sub":"alice","groups":["staff","beta"],"level":7,"trial":true,"none":null,"deep":{"a":1},"empty":""}`, secret)
	text := func(name, want string) {
		t.Helper()
		if got, ok := v.Text(token, name); got != want || ok != (want != "") {
			t.Errorf("Text(%s) = %q, %v, want %q", name, got, ok, want)
		}
	}
	text("sub", "alice")
	text("level", "7")
	text("trial", "true")
	text("groups", "")
	text("empty", "")
	text("deep", "")
	text("absent", "")
	has := func(name, is string, want bool) {
		t.Helper()
		if got := v.Has(token, name, is); got != want {
			t.Errorf("Has(%s, %q) = %v, want %v", name, is, got, want)
		}
	}
	has("groups", "beta", true)
	has("groups", "bet", false)
	has("groups", "", true)
	has("sub", "alice", true)
	has("sub", "", true)
	has("none", "", false)
	has("absent", "", false)
}

func TestVerifier_ForgedTokens_SayNothing(t *testing.T) {
	t.Parallel()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public := publicPEM(t, &private.PublicKey)
	claims := `{"sub":"alice"}`
	good := string(hs256(head, claims, secret))
	cut := strings.LastIndex(good, ".")
	for _, tt := range []struct {
		name, key, token string
	}{
		{"no signature at all", secret, part(`{"alg":"none"}`) + "." + part(claims) + "."},
		{"algorithm none, signed all the same", secret, string(hs256(`{"alg":"none"}`, claims, secret))},
		{"the public key taken as the secret of HS256", public, string(hs256(head, claims, public))},
		{"another secret", secret, string(hs256(head, claims, secret+"x"))},
		{"another payload", secret, part(head) + "." + part(`{"sub":"root"}`) + good[cut:]},
		{"a signature cut short", secret, good[:len(good)-2]},
		{"a critical extension", secret, string(hs256(`{"alg":"HS256","crit":["b64"],"b64":false}`, claims, secret))},
		{"another algorithm of the same family", secret, string(hs256(`{"alg":"HS512"}`, claims, secret))},
		{"two parts", secret, good[:cut]},
		{"four parts", secret, good + ".x"},
		{"padding", secret, good + "="},
		{"nothing", secret, ""},
		{"a time in quotes", secret, string(hs256(head, `{"sub":"alice","exp":"9999999999"}`, secret))},
		{"claims that are a list", secret, string(hs256(head, `["sub"]`, secret))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := New(keys(t, tt.key), Options{})
			if text, ok := v.Text([]byte(tt.token), "sub"); ok {
				t.Errorf("got %q of %s", text, tt.token)
			}
		})
	}
}

func TestVerifier_PublicKeys_FixTheAlgorithm(t *testing.T) {
	t.Parallel()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edPublic, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sign := map[string]func(signed string) []byte{
		"RS256": func(signed string) []byte {
			sum := sha256.Sum256([]byte(signed))
			s, err := rsa.SignPKCS1v15(nil, r, crypto.SHA256, sum[:])
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		"ES256": func(signed string) []byte {
			sum := sha256.Sum256([]byte(signed))
			a, b, err := ecdsa.Sign(rand.Reader, e, sum[:])
			if err != nil {
				t.Fatal(err)
			}
			return append(a.FillBytes(make([]byte, 32)), b.FillBytes(make([]byte, 32))...)
		},
		"EdDSA": func(signed string) []byte { return ed25519.Sign(ed, []byte(signed)) },
	}
	public := map[string]string{
		"RS256": publicPEM(t, &r.PublicKey), "ES256": publicPEM(t, &e.PublicKey), "EdDSA": publicPEM(t, edPublic),
	}
	for signer, f := range sign {
		for named := range sign {
			for key, data := range public {
				signed := part(fmt.Sprintf(`{"alg":%q}`, named)) + "." + part(`{"sub":"alice"}`)
				token := []byte(signed + "." + base64.RawURLEncoding.EncodeToString(f(signed)))
				_, ok := New(keys(t, data), Options{}).Text(token, "sub")
				if want := signer == named && named == key; ok != want {
					t.Errorf("signed by %s, named %s, key of %s: got %v, want %v", signer, named, key, ok, want)
				}
			}
		}
	}
	both := keys(t, public["RS256"]+public["ES256"])
	signed := part(`{"alg":"ES256"}`) + "." + part(`{"sub":"alice"}`)
	if _, ok := New(both, Options{}).Text([]byte(signed+"."+base64.RawURLEncoding.EncodeToString(sign["ES256"](signed))), "sub"); !ok {
		t.Error("the second of two keys is not asked")
	}
}

func TestVerifier_Times_AreLookedAtEveryTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := New(keys(t, secret), Options{})
		now := time.Now()
		token := hs256(head, fmt.Sprintf(`{"sub":"alice","nbf":%d,"exp":%d}`, now.Unix()+60, now.Unix()+120), secret)
		f := func(want bool) {
			t.Helper()
			if _, ok := v.Text(token, "sub"); ok != want {
				t.Errorf("after %s: got %v, want %v", time.Since(now), ok, want)
			}
		}
		f(false)
		time.Sleep(60 * time.Second)
		f(true)
		time.Sleep(59 * time.Second)
		f(true)
		time.Sleep(time.Second)
		f(false)
	})
}

func TestVerifier_IssuerAndAudience_AreAsked(t *testing.T) {
	t.Parallel()
	v := New(keys(t, secret), Options{Issuer: "https://id.example", Audience: "shop"})
	f := func(claims string, want bool) {
		t.Helper()
		if _, ok := v.Text(hs256(head, claims, secret), "sub"); ok != want {
			t.Errorf("%s: got %v, want %v", claims, ok, want)
		}
	}
	f(`{"sub":"a","iss":"https://id.example","aud":"shop"}`, true)
	f(`{"sub":"a","iss":"https://id.example","aud":["desk","shop"]}`, true)
	f(`{"sub":"a","iss":"https://id.example","aud":"desk"}`, false)
	f(`{"sub":"a","iss":"https://evil.example","aud":"shop"}`, false)
	f(`{"sub":"a"}`, false)
}

func TestParseKeys_WhatIsNoKey_IsRefused(t *testing.T) {
	t.Parallel()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	small := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 1023, 1), E: 65537}
	curve, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	f := func(data, want string) {
		t.Helper()
		if _, err := ParseKeys([]byte(data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f("short", "can be guessed")
	f(`{"keys":[{"kty":"RSA","n":"0123456789abcdef0123456789abcdef","e":"AQAB"}]}`, "JSON Web Key")
	f(string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)})), "private key")
	f(publicPEM(t, small), "too short")
	f(publicPEM(t, &curve.PublicKey), "want P-256")
	f(string(der), "want it in PEM")
	f(string(x509.MarshalPKCS1PublicKey(&private.PublicKey)), "want it in PEM")
	f(string(certificate(t, private)), "want it in PEM")
	f(base64.StdEncoding.EncodeToString(der), "want it in PEM")
	f(base64.StdEncoding.EncodeToString(der)[:64]+"\n"+base64.StdEncoding.EncodeToString(der)[64:]+"\n", "want it in PEM")
	f(base64.RawURLEncoding.EncodeToString(der), "want it in PEM")
	f("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPmEklPT2RBhUc2nRlx0ihHAVBPq5Wgmg2QpdhJ3pmnq me@host", "want it in PEM")
	f(`[{"kty":"RSA","n":"0123456789abcdef0123456789abcdef","e":"AQAB"}]`, "JSON Web Key")
	f(publicPEM(t, &private.PublicKey)[:200], "broken PEM")
}

func TestVerifier_TokenSeenBefore_AllocatesNothing(t *testing.T) {
	v := New(keys(t, secret), Options{})
	token := hs256(head, fmt.Sprintf(`{"sub":"alice","groups":["beta"],"exp":%d}`, time.Now().Unix()+3600), secret)
	if n := testing.AllocsPerRun(100, func() {
		if !v.Has(token, "groups", "beta") {
			t.Error("no member")
		}
		if _, ok := v.Text(token, "sub"); !ok {
			t.Error("no key")
		}
	}); n != 0 {
		t.Errorf("got %v allocations, want none", n)
	}
}

func FuzzVerifier(f *testing.F) {
	f.Add(hs256(head, `{"sub":"alice"}`, secret))
	f.Add([]byte("a.b.c"))
	f.Add([]byte(part(`{"alg":"none"}`) + "." + part(`{"sub":"alice"}`) + "."))
	v := New(keys(f, secret), Options{})
	f.Fuzz(func(t *testing.T, token []byte) {
		text, ok := v.Text(token, "sub")
		if !ok {
			return
		}
		cut := strings.LastIndex(string(token), ".")
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(token[:cut])
		if base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) != string(token[cut+1:]) {
			t.Errorf("believed %q of a token nobody signed: %s", text, token)
		}
	})
}

// certificate is one in DER.
func certificate(t *testing.T, key *rsa.PrivateKey) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// Whoever sends the same forged token again and again, or asks for many claims of it at once, pays with one check of a signature.
func TestVerifier_TokenRefusedBefore_IsNotCheckedAgain(t *testing.T) {
	v := New(keys(t, secret), Options{})
	forged := hs256(head, `{"sub":"alice"}`, "another secret of more than 32 bytes")
	if n := testing.AllocsPerRun(100, func() {
		if v.Has(forged, "sub", "") {
			t.Fatal("a forged token is believed")
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
	if good := hs256(head, `{"sub":"alice"}`, secret); !v.Has(good, "sub", "alice") || v.Has(forged, "sub", "") || !v.Has(good, "sub", "alice") {
		t.Error("one token is taken for the other")
	}
}
