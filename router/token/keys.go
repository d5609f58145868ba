package token

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

const (
	minSecret = 32 // bytes: RFC 7518, section 3.2
	minRSA    = 2048
	maxKeys   = 16
)

// Keys are what tokens may be signed with: one secret, or public keys, of which any will do (an old and a new one, while
// they are exchanged). The zero Keys believe nobody.
type Keys struct {
	secret []byte
	public []crypto.PublicKey // *rsa.PublicKey, *ecdsa.PublicKey on P-256, ed25519.PublicKey
}

// ParseKeys reads PEM blocks of public keys (PUBLIC KEY, RSA PUBLIC KEY, CERTIFICATE), or takes the text as the secret of
// HS256. What looks like a key of another form is refused, for it must never become a secret that everybody knows.
func ParseKeys(data []byte) (Keys, error) {
	trimmed := bytes.TrimSpace(data)
	switch {
	case bytes.Contains(data, []byte("-----BEGIN")):
		return parsePEM(data)
	case json.Valid(trimmed) && len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '['):
		return Keys{}, errors.New("a JSON Web Key set is not read: want public keys in PEM, or the secret of HS256")
	case len(data) < minSecret:
		return Keys{}, fmt.Errorf("a secret of %d bytes can be guessed: want at least %d", len(data), minSecret)
	case isPublic(data):
		return Keys{}, errors.New("a public key in DER, base64 or OpenSSH's form is not read: want it in PEM")
	}
	return Keys{secret: bytes.Clone(data)}, nil
}

// isPublic reports whether data is a public key or a certificate that is not in PEM: in DER, in the base64 that identity
// providers show, or a line of OpenSSH's.
func isPublic(data []byte) bool {
	for _, kind := range []string{"ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"} {
		if bytes.HasPrefix(data, []byte(kind)) {
			return true
		}
	}
	text := string(bytes.Join(bytes.Fields(data), nil))
	forms := [][]byte{data}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if der, err := encoding.DecodeString(text); err == nil {
			forms = append(forms, der)
		}
	}
	return slices.ContainsFunc(forms, func(der []byte) bool {
		_, key := x509.ParsePKIXPublicKey(der)
		_, old := x509.ParsePKCS1PublicKey(der)
		_, certificate := x509.ParseCertificate(der)
		return key == nil || old == nil || certificate == nil
	})
}

func parsePEM(data []byte) (Keys, error) {
	var keys Keys
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		key, err := parseBlock(block)
		if err != nil {
			return Keys{}, err
		}
		keys.public = append(keys.public, key)
	}
	switch n := len(keys.public); {
	case n == 0 || bytes.Contains(data, []byte("-----BEGIN")):
		return Keys{}, errors.New("a broken PEM block")
	case n > maxKeys:
		return Keys{}, fmt.Errorf("%d keys: want at most %d", n, maxKeys)
	}
	return keys, nil
}

func parseBlock(block *pem.Block) (crypto.PublicKey, error) {
	var key any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var c *x509.Certificate
		if c, err = x509.ParseCertificate(block.Bytes); err == nil {
			key = c.PublicKey
		}
	case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("a private key: who only verifies must not have it; want the public one")
	default:
		return nil, fmt.Errorf("a PEM block %q: want PUBLIC KEY", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("read the %s: %w", block.Type, err)
	}
	switch key := key.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < minRSA {
			return nil, fmt.Errorf("an RSA key of %d bits is too short: want at least %d", key.N.BitLen(), minRSA)
		}
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			return nil, fmt.Errorf("a key on curve %s: want P-256 (ES256)", key.Curve.Params().Name)
		}
	case ed25519.PublicKey:
	default:
		return nil, fmt.Errorf("a key of type %T: want RSA, P-256 or Ed25519", key)
	}
	return key, nil
}

// check verifies a signature by any key of the algorithm.
func (k Keys) check(alg string, signed, signature []byte) error {
	sum := sha256.Sum256(signed)
	found := false
	if k.secret != nil && alg == "HS256" {
		mac := hmac.New(sha256.New, k.secret)
		mac.Write(signed)
		if hmac.Equal(mac.Sum(nil), signature) {
			return nil
		}
		found = true
	}
	for _, key := range k.public {
		right := false
		switch key := key.(type) {
		case *rsa.PublicKey:
			if alg != "RS256" {
				continue
			}
			right = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
		case *ecdsa.PublicKey:
			if alg != "ES256" {
				continue
			}
			right = len(signature) == 64 &&
				ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
		case ed25519.PublicKey:
			if alg != "EdDSA" {
				continue
			}
			right = ed25519.Verify(key, signed, signature)
		}
		if right {
			return nil
		}
		found = true
	}
	if found {
		return errSignature
	}
	return errAlgorithm
}
