package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"cel.dev/cel-go/common/types"
	celpb "cel.dev/expr"
	_ "cel.dev/expr/conformance/proto2"
	_ "cel.dev/expr/conformance/proto3"
	testpb "cel.dev/expr/conformance/test"
	"google.golang.org/protobuf/encoding/prototext"
)

// The files of the specification that the language claims.
var claimed = []string{
	"basic", "comparisons", "conversions", "encoders_ext", "fields", "fp_math", "integer_math", "lists", "lists_ext",
	"logic", "macros", "macros2", "math_ext", "optionals", "parse", "plumbing", "string", "string_ext", "timestamps",
}

// What speaks of protocol buffers, which the language does not have.
var messages = regexp.MustCompile(`TestAllTypes|google\.protobuf\.(?:[A-SU-Z]|D[^u]|T[^i]|\w*Value)|GlobalEnum|NestedEnum|NullValue`)

type testCase struct {
	Name   string         `json:"name"`
	Expr   string         `json:"expr"`
	Vars   map[string]any `json:"vars,omitempty"`
	Value  any            `json:"value"`
	Errors bool           `json:"error,omitempty"`
}

func conformance(out io.Writer) error {
	dir, err := testdata()
	if err != nil {
		return err
	}
	cases := []testCase{}
	skipped := 0
	for _, name := range claimed {
		text, err := os.ReadFile(filepath.Join(dir, name+".textproto"))
		if err != nil {
			return err
		}
		file := &testpb.SimpleTestFile{}
		if err := prototext.Unmarshal(text, file); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, section := range file.Section {
			for _, test := range section.Test {
				full := name + "/" + section.Name + "/" + test.Name
				one, err := convert(full, test)
				if err != nil {
					return fmt.Errorf("%s: %w", full, err)
				}
				if one == nil {
					skipped++
					continue
				}
				cases = append(cases, *one)
			}
		}
	}
	fmt.Fprintf(os.Stderr, "%d tests, %d left out for speaking of protocol buffers\n", len(cases), skipped)
	fmt.Fprintln(out, "[")
	for place, one := range cases {
		var line bytes.Buffer
		encoder := json.NewEncoder(&line)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(one); err != nil {
			return err
		}
		end := ","
		if place == len(cases)-1 {
			end = ""
		}
		fmt.Fprintf(out, "%s%s\n", strings.TrimSuffix(line.String(), "\n"), end)
	}
	fmt.Fprintln(out, "]")
	return nil
}

// convert gives nothing for a test of what the language does not have.
func convert(name string, test *testpb.SimpleTest) (*testCase, error) {
	if messages.MatchString(test.Expr) || messages.MatchString(test.Container) || test.DisableMacros || test.CheckOnly {
		return nil, nil
	}
	one := &testCase{Name: name, Expr: test.Expr}
	for variable, value := range test.Bindings {
		encoded, ok, err := fromProto(value.GetValue())
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, nil
		}
		if one.Vars == nil {
			one.Vars = map[string]any{}
		}
		one.Vars[variable] = encoded
	}
	switch result := test.ResultMatcher.(type) {
	case nil:
		one.Value = true
	case *testpb.SimpleTest_Value:
		encoded, ok, err := fromProto(result.Value)
		if err != nil || !ok {
			return nil, err
		}
		one.Value = encoded
	case *testpb.SimpleTest_TypedResult:
		if result.TypedResult.Result == nil {
			return nil, nil
		}
		encoded, ok, err := fromProto(result.TypedResult.Result)
		if err != nil || !ok {
			return nil, err
		}
		one.Value = encoded
	case *testpb.SimpleTest_EvalError, *testpb.SimpleTest_AnyEvalErrors:
		one.Errors = true
	default:
		return nil, nil
	}
	return one, nil
}

// fromProto reads a value of the data. Not ok: it holds a message.
func fromProto(value *celpb.Value) (any, bool, error) {
	switch v := value.GetKind().(type) {
	case *celpb.Value_ObjectValue:
		return wellKnown(v)
	case *celpb.Value_EnumValue:
		return nil, false, nil
	case *celpb.Value_ListValue:
		items := []any{}
		for _, item := range v.ListValue.Values {
			encoded, ok, err := fromProto(item)
			if err != nil || !ok {
				return nil, ok, err
			}
			items = append(items, encoded)
		}
		return items, true, nil
	case *celpb.Value_MapValue:
		pairs := [][2]any{}
		for _, entry := range v.MapValue.Entries {
			key, ok, err := fromProto(entry.Key)
			if err != nil || !ok {
				return nil, ok, err
			}
			encoded, ok, err := fromProto(entry.Value)
			if err != nil || !ok {
				return nil, ok, err
			}
			pairs = append(pairs, [2]any{key, encoded})
		}
		return map[string]any{"m": sorted(pairs)}, true, nil
	case *celpb.Value_TypeValue:
		return map[string]any{"type": v.TypeValue}, true, nil
	case *celpb.Value_NullValue:
		return nil, true, nil
	case *celpb.Value_BoolValue:
		return v.BoolValue, true, nil
	case *celpb.Value_Int64Value:
		encoded, err := encode(types.Int(v.Int64Value))
		return encoded, true, err
	case *celpb.Value_Uint64Value:
		encoded, err := encode(types.Uint(v.Uint64Value))
		return encoded, true, err
	case *celpb.Value_DoubleValue:
		encoded, err := encode(types.Double(v.DoubleValue))
		return encoded, true, err
	case *celpb.Value_StringValue:
		return v.StringValue, true, nil
	case *celpb.Value_BytesValue:
		encoded, err := encode(types.Bytes(v.BytesValue))
		return encoded, true, err
	}
	return nil, false, fmt.Errorf("unknown value %v", value)
}

// wellKnown reads times, which the data writes as messages.
func wellKnown(value *celpb.Value_ObjectValue) (any, bool, error) {
	message, err := value.ObjectValue.UnmarshalNew()
	if err != nil {
		return nil, false, err
	}
	native := types.DefaultTypeAdapter.NativeToValue(message)
	switch native.(type) {
	case types.Timestamp, types.Duration:
		encoded, err := encode(native)
		return encoded, err == nil, err
	}
	return nil, false, nil
}

// testdata is where the module that holds the data was put.
func testdata() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "cel.dev/expr").Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "tests", "simple", "testdata"), nil
}
