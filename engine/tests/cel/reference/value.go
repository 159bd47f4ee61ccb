package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// encode writes a value so that its type survives JSON, and equal values give equal text.
//
//	null, true, "text", [list]
//	{"i": "1"} {"u": "1"} {"d": "1.5"} {"b": "base64"} {"t": "RFC 3339"} {"n": "nanoseconds"}
//	{"m": [[key, value], …]} sorted by the text of the key, {"type": "int"}, {"o": [value or nothing]}
func encode(value ref.Val) (any, error) {
	switch v := value.(type) {
	case types.Null:
		return nil, nil
	case types.Bool:
		return bool(v), nil
	case types.Int:
		return map[string]any{"i": strconv.FormatInt(int64(v), 10)}, nil
	case types.Uint:
		return map[string]any{"u": strconv.FormatUint(uint64(v), 10)}, nil
	case types.Double:
		return map[string]any{"d": double(float64(v))}, nil
	case types.String:
		return string(v), nil
	case types.Bytes:
		return map[string]any{"b": base64.StdEncoding.EncodeToString([]byte(v))}, nil
	case types.Timestamp:
		return map[string]any{"t": v.Time.UTC().Format(time.RFC3339Nano)}, nil
	case types.Duration:
		return map[string]any{"n": strconv.FormatInt(int64(v.Duration), 10)}, nil
	case *types.Optional:
		if !v.HasValue() {
			return map[string]any{"o": []any{}}, nil
		}
		inner, err := encode(v.GetValue())
		return map[string]any{"o": []any{inner}}, err
	case *types.Type:
		return map[string]any{"type": v.TypeName()}, nil
	case traits.Mapper:
		pairs := [][2]any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			k, err := encode(key)
			if err != nil {
				return nil, err
			}
			inner, err := encode(v.Get(key))
			if err != nil {
				return nil, err
			}
			pairs = append(pairs, [2]any{k, inner})
		}
		return map[string]any{"m": sorted(pairs)}, nil
	case traits.Lister:
		items := []any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			inner, err := encode(it.Next())
			if err != nil {
				return nil, err
			}
			items = append(items, inner)
		}
		return items, nil
	}
	if types.IsError(value) {
		return nil, fmt.Errorf("%v", value)
	}
	return nil, fmt.Errorf("no encoding for %T", value)
}

func sorted(pairs [][2]any) [][2]any {
	text := func(pair [2]any) string {
		encoded, _ := json.Marshal(pair[0])
		return string(encoded)
	}
	sort.Slice(pairs, func(i, j int) bool { return text(pairs[i]) < text(pairs[j]) })
	return pairs
}

// double writes all digits that matter, always with an exponent, so that no two libraries differ in style.
func double(value float64) string {
	switch {
	case math.IsNaN(value):
		return "NaN"
	case math.IsInf(value, 1):
		return "Infinity"
	case math.IsInf(value, -1):
		return "-Infinity"
	}
	return fmt.Sprintf("%016x", math.Float64bits(value))
}
