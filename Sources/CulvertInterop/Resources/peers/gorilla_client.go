// Gorilla's WebSocket client through an HTTP proxy: gorilla_client URL PROXY CA
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

const frameSize = 65536

func main() {
	dialer, err := newDialer(os.Args[2], os.Args[3])
	if err != nil {
		fmt.Println("fail open", err)
		return
	}
	connection, err := dial(dialer)
	if err != nil {
		fmt.Println("fail open", err)
		return
	}
	check("text", func() error { return echoes(connection, websocket.TextMessage, []byte("Grüße, 世界 👋")) })
	check("empty", func() error { return echoes(connection, websocket.TextMessage, nil) })
	check("binary", func() error { return echoes(connection, websocket.BinaryMessage, pattern(256)) })
	for _, size := range []int{125, 126, 65535, 65536} {
		check(fmt.Sprint(size), func() error { return echoes(connection, websocket.BinaryMessage, pattern(size)) })
	}
	check("16MB", func() error { return echoes(connection, websocket.BinaryMessage, pattern(1<<24)) })
	check("fragments", func() error { return fragments(connection) })
	check("ping", func() error { return ping(connection) })
	connection.Close()

	check("compression", func() error { return compression(dialer) })
	for _, code := range []int{1000, 3000} {
		check(fmt.Sprint("close-", code), func() error { return closes(dialer, code) })
	}
}

func newDialer(proxy string, authority string) (*websocket.Dialer, error) {
	hop, err := url.Parse(proxy)
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(authority)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return &websocket.Dialer{
		Proxy:            http.ProxyURL(hop),
		TLSClientConfig:  &tls.Config{RootCAs: roots},
		HandshakeTimeout: 20 * time.Second,
		// The library's frames are this long at most.
		WriteBufferSize: frameSize,
	}, nil
}

func dial(dialer *websocket.Dialer) (*websocket.Conn, error) {
	connection, response, err := dialer.Dial(os.Args[1], nil)
	if err != nil {
		return nil, err
	}
	// Gorilla takes the answer to its offer silently; without one there is nothing to check.
	if dialer.EnableCompression && !strings.Contains(response.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate") {
		connection.Close()
		return nil, fmt.Errorf("the origin did not agree")
	}
	connection.SetReadDeadline(time.Now().Add(40 * time.Second))
	return connection, nil
}

func check(name string, body func() error) {
	if err := body(); err != nil {
		fmt.Println("fail", name, err)
	} else {
		fmt.Println("pass", name)
	}
}

func echoes(connection *websocket.Conn, kind int, message []byte) error {
	if err := connection.WriteMessage(kind, message); err != nil {
		return err
	}
	return receives(connection, kind, message)
}

func receives(connection *websocket.Conn, kind int, message []byte) error {
	receivedKind, received, err := connection.ReadMessage()
	if err != nil {
		return err
	}
	if receivedKind != kind || !bytes.Equal(received, message) {
		return fmt.Errorf("sent kind %d of %d, received kind %d of %d", kind, len(message), receivedKind, len(received))
	}
	return nil
}

// A message larger than the write buffer goes out in frames of the buffer's size.
func fragments(connection *websocket.Conn) error {
	message := bytes.Repeat([]byte("fragment"), frameSize/3)
	writer, err := connection.NextWriter(websocket.TextMessage)
	if err != nil {
		return err
	}
	if _, err := io.Copy(writer, struct{ io.Reader }{bytes.NewReader(message)}); err != nil {
		return err
	}
	if err := writer.Close(); err != nil {
		return err
	}
	return receives(connection, websocket.TextMessage, message)
}

func ping(connection *websocket.Conn) error {
	heard := ""
	connection.SetPongHandler(func(payload string) error { heard = payload; return nil })
	if err := connection.WriteControl(websocket.PingMessage, []byte("culvert"), time.Now().Add(5*time.Second)); err != nil {
		return err
	}
	// Pongs are heard while reading.
	if err := echoes(connection, websocket.TextMessage, []byte("after the ping")); err != nil {
		return err
	}
	if heard != "culvert" {
		return fmt.Errorf("the pong says %q", heard)
	}
	return nil
}

func compression(dialer *websocket.Dialer) error {
	deflating := *dialer
	deflating.EnableCompression = true
	connection, err := dial(&deflating)
	if err != nil {
		return err
	}
	defer connection.Close()
	return echoes(connection, websocket.TextMessage, bytes.Repeat([]byte("culvert "), 8192))
}

func closes(dialer *websocket.Dialer, code int) error {
	connection, err := dial(dialer)
	if err != nil {
		return err
	}
	defer connection.Close()
	message := websocket.FormatCloseMessage(code, "done")
	if err := connection.WriteControl(websocket.CloseMessage, message, time.Now().Add(5*time.Second)); err != nil {
		return err
	}
	_, _, err = connection.ReadMessage()
	if !websocket.IsCloseError(err, code) {
		return fmt.Errorf("the answer is %v", err)
	}
	return nil
}

func pattern(size int) []byte {
	bytes := make([]byte, size)
	for i := range bytes {
		bytes[i] = byte(i*i + i>>8)
	}
	return bytes
}
