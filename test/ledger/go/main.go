// Command verify checks Countersign's output with packages that know nothing of it. It reads one JSON document and prints
// "ok", or says what is wrong and exits with 1.
package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type input struct {
	// Key the notes are opened with.
	VerifierKey string `json:"vkey"`
	Origin      string `json:"origin"`
	// A newer checkpoint, an older one, and the proof that the newer continues it, base64.
	Checkpoint  string   `json:"checkpoint"`
	Older       string   `json:"older"`
	Consistency []string `json:"consistency"`
	// Folder in tlog-tiles layout: tile/..., as served.
	Folder string `json:"folder"`
	// Text of c2sp.org/tlog-proof, with the exact text of the entry it proves.
	Proof string `json:"proof"`
	Entry string `json:"entry"`
}

type checkpoint struct {
	size int64
	root tlog.Hash
}

func main() {
	var in input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		fail(err)
	}
	if err := check(in); err != nil {
		fail(err)
	}
	fmt.Println("ok")
}

func fail(err error) {
	fmt.Println(err)
	os.Exit(1)
}

func check(in input) error {
	newer, err := open(in.Checkpoint, in)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	older, err := open(in.Older, in)
	if err != nil {
		return fmt.Errorf("older checkpoint: %w", err)
	}
	tree := make(tlog.TreeProof, 0, len(in.Consistency))
	for _, each := range in.Consistency {
		hash, err := tlog.ParseHash(each)
		if err != nil {
			return err
		}
		tree = append(tree, hash)
	}
	if err := tlog.CheckTree(tree, newer.size, newer.root, older.size, older.root); err != nil {
		return fmt.Errorf("consistency: %w", err)
	}
	if err := checkTiles(in.Folder, newer); err != nil {
		return fmt.Errorf("tiles: %w", err)
	}
	if err := checkProof(in); err != nil {
		return fmt.Errorf("proof: %w", err)
	}
	return nil
}

// open verifies the note and reads its text: three lines, no more.
func open(text string, in input) (checkpoint, error) {
	verifier, err := note.NewVerifier(in.VerifierKey)
	if err != nil {
		return checkpoint{}, err
	}
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return checkpoint{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != in.Origin || lines[3] != "" {
		return checkpoint{}, fmt.Errorf("unexpected text %q", opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return checkpoint{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return checkpoint{size, root}, err
}

// tiles reads a folder as golang.org/x/mod/sumdb/tlog wants it; its own paths have a height in them.
type tiles string

func (tiles) Height() int { return 8 }

func (dir tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(wanted))
	for i, tile := range wanted {
		path := strings.TrimPrefix(tile.Path(), "tile/8/")
		bytes, err := os.ReadFile(filepath.Join(string(dir), "tile", path))
		if err != nil {
			return nil, err
		}
		data[i] = bytes
	}
	return data, nil
}

func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// checkTiles recomputes the root from the tiles, and proves every entry of every bundle with them.
func checkTiles(folder string, at checkpoint) error {
	reader := tlog.TileHashReader(tlog.Tree{N: at.size, Hash: at.root}, tiles(folder))
	root, err := tlog.TreeHash(at.size, reader)
	if err != nil {
		return err
	}
	if root != at.root {
		return fmt.Errorf("the tiles have root %v, the checkpoint %v", root, at.root)
	}
	for index := int64(0); index < at.size; {
		count := min(256, at.size-index)
		path := tlog.Tile{H: 8, L: 0, N: index / 256, W: int(count)}.Path()
		bundle, err := os.ReadFile(filepath.Join(folder, "tile", "entries", strings.TrimPrefix(path, "tile/8/0/")))
		if err != nil {
			return err
		}
		for ; count > 0; count-- {
			length := int(binary.BigEndian.Uint16(bundle))
			entry := bundle[2 : 2+length]
			bundle = bundle[2+length:]
			record, err := tlog.ProveRecord(at.size, index, reader)
			if err != nil {
				return err
			}
			if err := tlog.CheckRecord(record, at.size, at.root, index, tlog.RecordHash(entry)); err != nil {
				return fmt.Errorf("entry %d: %w", index, err)
			}
			index++
		}
		if len(bundle) != 0 {
			return fmt.Errorf("%d bytes after the last entry of a bundle", len(bundle))
		}
	}
	return nil
}

type inner struct {
	Entry struct {
		Header string   `json:"header"`
		Path   []string `json:"path"`
	} `json:"entry"`
	ID struct {
		Nonce  string `json:"nonce"`
		Origin string `json:"origin"`
	} `json:"id"`
	Slot struct {
		Log   string   `json:"log"`
		Nonce string   `json:"nonce"`
		Root  string   `json:"root"`
		Size  uint64   `json:"size"`
		Slot  uint64   `json:"slot"`
		Path  []string `json:"path"`
	} `json:"slot"`
	Epoch struct {
		Header string   `json:"header"`
		Leaves []string `json:"leaves"`
		Facts  struct {
			Salt  string          `json:"salt"`
			Value json.RawMessage `json:"value"`
		} `json:"facts"`
	} `json:"epoch"`
}

// checkProof follows a proof from the entry to the checkpoint as docs/ledger-format.md describes it.
func checkProof(in input) error {
	head, text, _ := strings.Cut(in.Proof, "\n\n")
	at, err := open(text, in)
	if err != nil {
		return err
	}
	lines := strings.Split(head, "\n")
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return fmt.Errorf("unexpected beginning")
	}
	extra, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return err
	}
	var found inner
	if err := json.Unmarshal(extra, &found); err != nil {
		return err
	}
	index, err := strconv.ParseUint(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return err
	}
	var path [][]byte
	for _, line := range lines[3:] {
		hash, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return err
		}
		path = append(path, hash)
	}
	leaf := rfc6962.DefaultHasher.HashLeaf([]byte(found.Epoch.Header))
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, index, uint64(at.size), leaf, path, at.root[:]); err != nil {
		return fmt.Errorf("the epoch in the deployment's log: %w", err)
	}
	return checkInner(in, found)
}

func checkInner(in input, found inner) error {
	var header struct{ Body string }
	var facts struct {
		Root  string
		Slots uint64
	}
	if err := json.Unmarshal([]byte(found.Epoch.Header), &header); err != nil {
		return err
	}
	if err := json.Unmarshal(found.Epoch.Facts.Value, &facts); err != nil {
		return err
	}
	section := leafOf(fmt.Sprintf(`["%s",%s]`, found.Epoch.Facts.Salt, found.Epoch.Facts.Value))
	if len(found.Epoch.Leaves) != 2 || section != found.Epoch.Leaves[0] {
		return fmt.Errorf("the facts of the epoch are not what its entry commits to")
	}
	body := rfc6962.DefaultHasher.HashChildren(unhex(found.Epoch.Leaves[0]), unhex(found.Epoch.Leaves[1]))
	if hex.EncodeToString(body) != header.Body {
		return fmt.Errorf("the sections of the epoch are not its body")
	}
	slot := found.Slot
	id := sha256.Sum256(fmt.Appendf(nil, `["%s",%d,"%s"]`, found.ID.Origin, slot.Slot, found.ID.Nonce))
	if hex.EncodeToString(id[:]) != slot.Log {
		return fmt.Errorf("the log does not belong into this slot")
	}
	leaf := leafOf(fmt.Sprintf(`{"log":"%s","nonce":"%s","root":"%s","size":%d,"slot":%d}`, slot.Log, slot.Nonce, slot.Root, slot.Size, slot.Slot))
	if err := include(slot.Slot, facts.Slots, leaf, slot.Path, facts.Root); err != nil {
		return fmt.Errorf("the slot in the epoch: %w", err)
	}
	var entry struct {
		Log string
		Seq uint64
	}
	if err := json.Unmarshal([]byte(found.Entry.Header), &entry); err != nil {
		return err
	}
	if found.Entry.Header != in.Entry || entry.Log != slot.Log {
		return fmt.Errorf("another entry is proven")
	}
	if err := include(entry.Seq, slot.Size, leafOf(found.Entry.Header), found.Entry.Path, slot.Root); err != nil {
		return fmt.Errorf("the entry in its log: %w", err)
	}
	return nil
}

func include(index, size uint64, leaf string, path []string, root string) error {
	hashes := make([][]byte, len(path))
	for i, each := range path {
		hashes[i] = unhex(each)
	}
	return proof.VerifyInclusion(rfc6962.DefaultHasher, index, size, unhex(leaf), hashes, unhex(root))
}

func leafOf(text string) string {
	return hex.EncodeToString(rfc6962.DefaultHasher.HashLeaf([]byte(text)))
}

func unhex(text string) []byte {
	bytes, _ := hex.DecodeString(text)
	return bytes
}
