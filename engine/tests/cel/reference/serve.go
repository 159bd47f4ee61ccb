package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"
)

type question struct {
	Expr string          `json:"expr"`
	Vars json.RawMessage `json:"vars"`
}

type answer struct {
	Value any    `json:"value"`
	Error string `json:"error,omitempty"`
}

// environment has the extensions of the language, and the names that questions use, of no known type.
func environment(names ...string) (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.OptionalTypes(),
		ext.Strings(),
		ext.Math(),
		ext.Encoders(),
		ext.Lists(),
		ext.Regex(),
		ext.TwoVarComprehensions(),
		cel.CrossTypeNumericComparisons(true),
		// As Kubernetes has it: has("text".field) is a mistake, not false.
		cel.EnableErrorOnBadPresenceTest(true),
		cel.EnableMacroCallTracking(),
	}
	for _, name := range names {
		options = append(options, cel.Variable(name, cel.DynType))
	}
	return cel.NewEnv(options...)
}

// serve parses without checking types: the language here has no types that must be declared.
func serve(in io.Reader, out io.Writer) error {
	env, err := environment("inputs", "steps", "item", "index")
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	buffered := bufio.NewWriter(out)
	defer buffered.Flush()
	encoder := json.NewEncoder(buffered)
	vars := map[string]any{}
	for lines.Scan() {
		var question question
		if err := json.Unmarshal(lines.Bytes(), &question); err != nil {
			return err
		}
		// Data stays until a question brings new data.
		if question.Vars != nil {
			if vars, err = variables(question.Vars); err != nil {
				return err
			}
		}
		var answer answer
		if value, err := evaluate(env, question.Expr, vars); err != nil {
			answer.Error = err.Error()
		} else {
			answer.Value = value
		}
		if err := encoder.Encode(answer); err != nil {
			return err
		}
		if err := buffered.Flush(); err != nil {
			return err
		}
	}
	return lines.Err()
}

func evaluate(env *cel.Env, expr string, vars map[string]any) (value any, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	ast, issues := env.Parse(expr)
	if issues.Err() != nil {
		return nil, issues.Err()
	}
	program, err := env.Program(ast, cel.CostLimit(10_000_000))
	if err != nil {
		return nil, err
	}
	result, _, err := program.Eval(vars)
	if err != nil {
		return nil, err
	}
	if types.IsUnknownOrError(result) {
		return nil, fmt.Errorf("%v", result)
	}
	return encode(result)
}

// variables reads JSON as the language does: numbers without fraction that fit are int, others double.
func variables(text json.RawMessage) (map[string]any, error) {
	var raw map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&raw); err != nil {
		return nil, err
	}
	for name, value := range raw {
		raw[name] = plain(value)
	}
	return raw, nil
}

func plain(value any) any {
	switch v := value.(type) {
	case json.Number:
		if whole, err := v.Int64(); err == nil {
			return whole
		}
		number, _ := v.Float64()
		return number
	case []any:
		for place, item := range v {
			v[place] = plain(item)
		}
	case map[string]any:
		for name, item := range v {
			v[name] = plain(item)
		}
	}
	return value
}
