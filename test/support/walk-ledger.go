// Walks a served log with plain HTTP, its verifier key and the Go project's own Merkle tree and notes (golang.org/x/mod), which know nothing of Rescind: recomputes
// the tree from all entries, and compares it with the checkpoint, with every tile, and with an earlier checkpoint.
//
//	walk-ledger https://log.example/ledger/<tenant>/ '<verifier key>' <file with the earlier checkpoint>
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height      = 8
	bundleWidth = 1 << height
)

// The hashes of a tree, in the order of tlog.StoredHashIndex.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	read := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		read[i] = h[index]
	}
	return read, nil
}

func main() {
	prefix, key := os.Args[1], os.Args[2]
	tree := open(get(prefix, "checkpoint"), key)
	var stored hashes
	for from := int64(0); from < tree.N; from += bundleWidth {
		for i, entry := range bundle(prefix, from, tree.N) {
			index := from + int64(i)
			if !strings.HasPrefix(string(entry), fmt.Sprintf("rescind-entry/v1\n%d\n", index)) {
				fail(fmt.Sprint("entry ", index), "says another index")
			}
			grown, err := tlog.StoredHashes(index, entry, stored)
			check("tree", err)
			stored = append(stored, grown...)
		}
	}
	for _, tile := range tlog.NewTiles(height, 0, tree.N) {
		grown, err := tlog.ReadTileData(tile, stored)
		check(pathOf(tile), err)
		if !bytes.Equal(grown, get(prefix, pathOf(tile))) {
			fail(pathOf(tile), "is not what the entries give")
		}
	}
	root, err := tlog.TreeHash(tree.N, stored)
	check("tree", err)
	if root != tree.Hash {
		fail("checkpoint", "its root is not that of the entries")
	}
	fmt.Printf("%d entries\n", tree.N)

	kept, err := os.ReadFile(os.Args[3])
	check("earlier checkpoint", err)
	earlier := open(kept, key)
	proof, err := tlog.ProveTree(tree.N, earlier.N, stored)
	check("consistency", err)
	check("consistency", tlog.CheckTree(proof, tree.N, tree.Hash, earlier.N, earlier.Hash))
	fmt.Printf("continues %d entries\n", earlier.N)
}

func open(signed []byte, key string) (tree tlog.Tree) {
	verifier, err := note.NewVerifier(key)
	check("key", err)
	opened, err := note.Open(signed, note.VerifierList(verifier))
	check("checkpoint", err)
	var origin, hash string
	_, err = fmt.Sscanf(opened.Text, "%s\n%d\n%s\n", &origin, &tree.N, &hash)
	check("checkpoint", err)
	tree.Hash, err = tlog.ParseHash(hash)
	check("checkpoint", err)
	if origin != verifier.Name() {
		fail("checkpoint", "is of another log")
	}
	return tree
}

// Paths are those of the Go checksum database without the height, and entries have another name.
func pathOf(tile tlog.Tile) string {
	path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
	return strings.Replace(path, "tile/data/", "tile/entries/", 1)
}

func bundle(prefix string, from, size int64) (entries [][]byte) {
	width := int64(bundleWidth)
	if size-from < width {
		width = size - from
	}
	path := pathOf(tlog.Tile{H: height, L: -1, N: from / bundleWidth, W: int(width)})
	for body := get(prefix, path); len(body) > 0; {
		if len(body) < 2 || len(body) < 2+int(binary.BigEndian.Uint16(body)) {
			fail(path, "is cut off")
		}
		end := 2 + int(binary.BigEndian.Uint16(body))
		entries, body = append(entries, body[2:end]), body[end:]
	}
	if len(entries) != int(width) {
		fail(path, "has another number of entries")
	}
	return entries
}

func get(prefix, path string) []byte {
	response, err := http.Get(prefix + path)
	check(path, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	check(path, err)
	if response.StatusCode != http.StatusOK {
		fail(path, response.Status)
	}
	return body
}

func check(what string, err error) {
	if err != nil {
		fail(what, err.Error())
	}
}

func fail(what, problem string) {
	fmt.Printf("%s: %s\n", what, problem)
	os.Exit(1)
}
