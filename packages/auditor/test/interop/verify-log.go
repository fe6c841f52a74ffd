// Verifies a log of C2SP tiles with Go's own golang.org/x/mod/sumdb: verify-log DIR VKEY [OLD-CHECKPOINT].
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type directory string

func (d directory) Height() int { return 8 }

func (d directory) SaveTiles([]tlog.Tile, [][]byte) {}

func (d directory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		// tlog-tiles has no height in its paths.
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(d), path))
		if err != nil {
			full, _, _ := strings.Cut(path, ".p/")
			if data, err = os.ReadFile(filepath.Join(string(d), full)); err != nil {
				return nil, err
			}
			data = data[:tile.W*tlog.HashSize]
		}
		all = append(all, data)
	}
	return all, nil
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func parse(file string, verifiers note.Verifiers) tlog.Tree {
	message, err := os.ReadFile(file)
	check(err)
	opened, err := note.Open(message, verifiers)
	check(err)
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := base64.StdEncoding.DecodeString(lines[2])
	check(err)
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree
}

func main() {
	dir := os.Args[1]
	verifier, err := note.NewVerifier(os.Args[2])
	check(err)
	verifiers := note.VerifierList(verifier)
	tree := parse(filepath.Join(dir, "checkpoint"), verifiers)
	if tree.N == 0 {
		if empty := sha256.Sum256(nil); !bytes.Equal(empty[:], tree.Hash[:]) {
			check(fmt.Errorf("the empty tree has another root"))
		}
		fmt.Println("ok 0")
		return
	}
	reader := tlog.TileHashReader(tree, directory(dir))
	root, err := tlog.TreeHash(tree.N, reader)
	check(err)
	if root != tree.Hash {
		check(fmt.Errorf("another root"))
	}
	// The whole tree again, from the entries alone: TileHashReader authenticates only what it needs.
	var storage []tlog.Hash
	rebuilt := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hashes[i] = storage[index]
		}
		return hashes, nil
	})
	for start := int64(0); start < tree.N; start += 256 {
		width := tree.N - start
		if width > 256 {
			width = 256
		}
		path := strings.Replace(tlog.Tile{H: 8, L: 0, N: start / 256, W: int(width)}.Path(), "tile/8/0/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(dir, path))
		check(err)
		indexes := make([]int64, width)
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(0, start+int64(i))
		}
		hashes, err := reader.ReadHashes(indexes)
		check(err)
		for i := range indexes {
			length := int(binary.BigEndian.Uint16(data))
			record := tlog.RecordHash(data[2 : 2+length])
			if record != hashes[i] {
				check(fmt.Errorf("entry %d is another", start+int64(i)))
			}
			stored, err := tlog.StoredHashesForRecordHash(start+int64(i), record, rebuilt)
			check(err)
			storage = append(storage, stored...)
			data = data[2+length:]
		}
		if len(data) != 0 {
			check(fmt.Errorf("%s goes on", path))
		}
	}
	root, err = tlog.TreeHash(tree.N, rebuilt)
	check(err)
	if root != tree.Hash {
		check(fmt.Errorf("the entries have another root"))
	}
	for _, tile := range tlog.NewTiles(8, 0, tree.N) {
		// NewTiles names every partial width; a log publishes those of its sizes.
		if tile.W != 256 && int64(tile.W) != (tree.N>>(8*uint(tile.L)))%256 {
			continue
		}
		expected, err := tlog.ReadTileData(tile, rebuilt)
		check(err)
		found, err := directory(dir).ReadTiles([]tlog.Tile{tile})
		check(err)
		if !bytes.Equal(expected, found[0]) {
			check(fmt.Errorf("%s is another", tile.Path()))
		}
	}
	if len(os.Args) > 3 {
		old := parse(os.Args[3], verifiers)
		if old.N > 0 {
			proof, err := tlog.ProveTree(tree.N, old.N, reader)
			check(err)
			check(tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash))
		}
	}
	fmt.Println("ok", tree.N)
}
