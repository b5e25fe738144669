/** Part of VERIFY.md: signatures and tiles, with nothing but Go's standard library. */
export const GO_SIGNATURES = String.raw`WORK=$(mktemp -d)
cat > "$WORK/main.go" <<'GO'
package main

import (
	"bufio"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

type logInfo struct {
	Log, Origin, Role string
	Inc               int
}

func fail(format string, values ...any) {
	fmt.Printf("FAILED: "+format+"\n", values...)
	os.Exit(1)
}

func must[T any](value T, err error) T {
	if err != nil {
		fail("%v", err)
	}
	return value
}

// A verifier key is name+id+base64(type, key).
func key(vkey string) (string, []byte, byte) {
	parts := strings.SplitN(strings.TrimSpace(vkey), "+", 3)
	if len(parts) != 3 {
		fail("not a verifier key: %q", vkey)
	}
	raw := must(base64.StdEncoding.DecodeString(parts[2]))
	if len(raw) != 33 {
		fail("not an Ed25519 key: %q", vkey)
	}
	return parts[0], raw[1:], raw[0]
}

// signed tells whether a line by that name in the note is a signature of the key.
func signed(text string, lines []string, vkey string) bool {
	name, public, kind := key(vkey)
	for _, line := range lines {
		raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(line, "— "+name+" "))
		if err != nil || !strings.HasPrefix(line, "— "+name+" ") {
			continue
		}
		message := []byte(text)
		if kind == 4 && len(raw) == 76 { // cosignature/v1 of a witness, with its time
			message = fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(raw[4:12]), text)
			raw = raw[8:]
		}
		if len(raw) == 68 && ed25519.Verify(public, message, raw[4:]) {
			return true
		}
	}
	return false
}

func eachLine(path string, use func([]byte)) {
	file := must(os.Open(path))
	defer file.Close()
	reader := bufio.NewReaderSize(file, 1<<20)
	for {
		line, err := reader.ReadBytes('\n')
		if len(line) > 0 {
			use(line)
		}
		if err != nil {
			return
		}
	}
}

func node(left, right [32]byte) [32]byte {
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

// root is the RFC 6962 tree head over hashes.
func root(hashes [][32]byte) [32]byte {
	if len(hashes) == 1 {
		return hashes[0]
	}
	split := 1
	for split*2 < len(hashes) {
		split *= 2
	}
	return node(root(hashes[:split]), root(hashes[split:]))
}

// tiles reads the lowest level of hashes and checks each entry bundle against it: c2sp.org/tlog-tiles.
func tiles(folder string, size int) [][32]byte {
	hashes := make([][32]byte, 0, size)
	for first := 0; first < size; first += 256 {
		width := min(256, size-first)
		digits := fmt.Sprintf("%03d", first/256)
		for len(digits)%3 != 0 {
			digits = "0" + digits
		}
		path := digits[len(digits)-3:]
		for rest := digits[:len(digits)-3]; rest != ""; rest = rest[:len(rest)-3] {
			path = "x" + rest[len(rest)-3:] + "/" + path
		}
		if width < 256 {
			path += fmt.Sprintf(".p/%d", width)
		}
		tile := must(os.ReadFile(filepath.Join(folder, "tile/0", path)))
		bundle := must(os.ReadFile(filepath.Join(folder, "tile/entries", path)))
		if len(tile) != 32*width {
			fail("%s: tile %s has another length", folder, path)
		}
		for i := 0; i < width; i++ {
			length := int(binary.BigEndian.Uint16(bundle))
			hash := sha256.Sum256(append([]byte{0}, bundle[2:2+length]...))
			bundle = bundle[2+length:]
			if hash != [32]byte(tile[32*i:32*i+32]) {
				fail("%s: entry %d is not what its tile says", folder, first+i)
			}
			hashes = append(hashes, hash)
		}
	}
	return hashes
}

func main() {
	var manifest struct{ Logs []logInfo }
	if err := json.Unmarshal(must(os.ReadFile("manifest.json")), &manifest); err != nil {
		fail("%v", err)
	}
	writers := map[string]string{}
	var known []struct{ Wid, Key string }
	if err := json.Unmarshal(must(os.ReadFile("keys/writers.json")), &known); err != nil {
		fail("%v", err)
	}
	for _, each := range known {
		writers[each.Wid] = each.Key
	}
	for _, log := range manifest.Logs {
		folder := "logs/" + log.Log
		receipts := 0
		eachLine(folder+"/entries.jsonl", func(line []byte) {
			var entry struct {
				Header, Hash string
				Receipt      *struct{ Digest, Sig, Wid string }
			}
			var header struct{ Seq int }
			if json.Unmarshal(line, &entry) != nil || json.Unmarshal([]byte(entry.Header), &header) != nil {
				fail("%s: a line is no entry", folder)
			}
			if entry.Receipt == nil {
				return
			}
			text := fmt.Sprintf("countersign/receipt/v1\n%s\n%s\n%d\n%d\n%s\n%s\n",
				log.Origin, log.Log, log.Inc, header.Seq, entry.Hash, entry.Receipt.Digest)
			public := must(base64.RawURLEncoding.DecodeString(writers[entry.Receipt.Wid]))
			signature := must(base64.RawURLEncoding.DecodeString(entry.Receipt.Sig))
			if len(public) != 32 || !ed25519.Verify(public, []byte(text), signature) {
				fail("%s: the receipt of entry %d is not signed by writer %s", folder, header.Seq, entry.Receipt.Wid)
			}
			receipts++
		})
		fmt.Printf("ok: %d receipts of log %s\n", receipts, log.Log)
		if log.Role == "deployment" {
			checkpoints(folder)
		}
	}
}

func checkpoints(folder string) {
	count := 0
	eachLine(folder+"/checkpoints.jsonl", func(line []byte) {
		var each struct{ Note, Vkey string }
		if json.Unmarshal(line, &each) != nil {
			fail("%s: a line is no checkpoint", folder)
		}
		text, lines, _ := strings.Cut(each.Note, "\n\n")
		if !signed(text+"\n", strings.Split(lines, "\n"), each.Vkey) {
			fail("%s: a checkpoint is not signed by the key beside it", folder)
		}
		count++
	})
	if count == 0 {
		fmt.Println("no checkpoint yet: nothing is signed")
		return
	}
	text, _, _ := strings.Cut(string(must(os.ReadFile(folder+"/checkpoint"))), "\n\n")
	var size int
	fields := strings.Split(text, "\n")
	fmt.Sscan(fields[1], &size)
	found := root(tiles(folder, size))
	if base64.StdEncoding.EncodeToString(found[:]) != fields[2] {
		fail("%s: the tiles have another root than the checkpoint", folder)
	}
	fmt.Printf("ok: %d checkpoints; the tiles of %d entries have the root of the newest\n", count, size)
	if witness := os.Getenv("WITNESS"); witness != "" {
		cosigned := 0
		eachLine(folder+"/anchors.jsonl", func(line []byte) {
			var anchors struct {
				Cosignatures []string
				Size         int
			}
			if json.Unmarshal(line, &anchors) == nil && anchors.Size == size && signed(text+"\n", anchors.Cosignatures, witness) {
				cosigned++
			}
		})
		if cosigned == 0 {
			fail("%s: your witness did not cosign the newest checkpoint", folder)
		}
		fmt.Println("ok: your witness cosigned the newest checkpoint")
	}
}
GO
go run "$WORK/main.go"`;
