// Command reference answers what the reference implementation of CEL, cel-go, makes of expressions.
//
// It is a tool of the tests and no part of the product:
//
//	reference serve        reads {"expr", "vars"} as JSON lines and answers {"value"} or {"error"} for each
//	reference conformance  prints the conformance data of CEL's specification as compact JSON
package main

import (
	"fmt"
	"os"
)

func main() {
	command := ""
	if len(os.Args) == 2 {
		command = os.Args[1]
	}
	var err error
	switch command {
	case "serve":
		err = serve(os.Stdin, os.Stdout)
	case "conformance":
		err = conformance(os.Stdout)
	default:
		err = fmt.Errorf("usage: reference serve | conformance")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}
