//! What the generated expressions read.

pub(crate) const DATA: &str = r#"{
"inputs": {
  "name": "Ada", "empty": "", "word": "grüße€", "count": 3, "zero": 0, "big": 9007199254740993, "price": 2.5, "ok": true,
  "nothing": null, "list": [3, 1, 2], "none": [], "words": ["b", "a", "", "b"], "mixed": [1, "a", true, null, [1], {"a": 1}],
  "items": [{"id": "a", "n": 2, "on": true}, {"id": "b", "n": 1}, {"id": "c", "n": 3, "on": false}],
  "map": {"a": 1, "b": 2, "c": 3}, "labels": {"x": "1", "y": "b"}, "deep": {"a": {"b": {"c": 7}}}, "odd-name": 1,
  "at": "2026-01-31T23:30:05Z", "text": "id:123, id:456"
}}"#;
