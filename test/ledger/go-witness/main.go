// Command prepare makes the surroundings of a litewitness: the database row of one log, and an ssh-agent with one key. It
// prints the fingerprint of the key, and serves the agent until its input ends.
package main

import (
	"crypto/ed25519"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// The tables of litewitness, which creates them only if they are not there.
const tables = `
	create table log (origin text primary key, tree_size integer not null, tree_hash text not null);
	create table key (origin text not null, key text not null, foreign key (origin) references log (origin));`

func main() {
	db := flag.String("db", "", "database to make")
	socket := flag.String("socket", "", "where the agent listens")
	seed := flag.String("seed", "", "private key, hex")
	origin := flag.String("origin", "", "origin of the log")
	vkey := flag.String("vkey", "", "verifier key of the log")
	flag.Parse()
	check(makeDatabase(*db, *origin, *vkey))
	bytes, err := hex.DecodeString(*seed)
	check(err)
	private := ed25519.NewKeyFromSeed(bytes)
	ring := agent.NewKeyring()
	check(ring.Add(agent.AddedKey{PrivateKey: private}))
	listener, err := net.Listen("unix", *socket)
	check(err)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go agent.ServeAgent(ring, connection)
		}
	}()
	public, err := ssh.NewPublicKey(private.Public())
	check(err)
	fmt.Println(ssh.FingerprintSHA256(public))
	io.Copy(io.Discard, os.Stdin)
}

func makeDatabase(path, origin, vkey string) error {
	db, err := sqlite.OpenConn(path)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := sqlitex.ExecuteScript(db, tables, nil); err != nil {
		return err
	}
	empty := "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	if err := sqlitex.Execute(db, "insert into log values (?, 0, ?)", &sqlitex.ExecOptions{Args: []any{origin, empty}}); err != nil {
		return err
	}
	return sqlitex.Execute(db, "insert into key values (?, ?)", &sqlitex.ExecOptions{Args: []any{origin, vkey}})
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
