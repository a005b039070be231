// A load on an echo server by Gorilla's WebSocket library: gorilla_client URL CONNECTIONS BYTES SECONDS AUTHORITY
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

var rounds atomic.Int64

func main() {
	connections, size := number(os.Args[2]), number(os.Args[3])
	seconds, err := strconv.ParseFloat(os.Args[4], 64)
	if err != nil {
		log.Fatal(err)
	}
	dialer := newDialer(os.Args[5])
	message := bytes.Repeat([]byte("x"), size)
	for i := 0; i < connections; i++ {
		connection, _, err := dialer.Dial(os.Args[1], nil)
		if err != nil {
			log.Fatal(err)
		}
		go talk(connection, message)
	}
	time.Sleep(500 * time.Millisecond)
	before, began := rounds.Load(), time.Now()
	fmt.Println("start")
	time.Sleep(time.Duration(seconds * float64(time.Second)))
	fmt.Println("stop", rounds.Load()-before, time.Since(began).Seconds())
}

func newDialer(authority string) *websocket.Dialer {
	pem, err := os.ReadFile(authority)
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return &websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: roots}}
}

func talk(connection *websocket.Conn, message []byte) {
	for {
		if err := connection.WriteMessage(websocket.BinaryMessage, message); err != nil {
			log.Fatal(err)
		}
		_, echo, err := connection.ReadMessage()
		if err != nil {
			log.Fatal(err)
		}
		if len(echo) != len(message) {
			log.Fatal("the echo is not what was sent")
		}
		rounds.Add(1)
	}
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil {
		log.Fatal(err)
	}
	return value
}
