//! Tables as workflows use them.

use std::fmt::Write;

use flowpilot_engine::journal::StepError;
use serde_json::{Value, json};

use super::super::tests::call;
use super::perform;

async fn table(with: Value) -> Result<Value, StepError> {
    perform(call("core/table@1", with)).await
}

async fn rows(with: Value) -> Value {
    let output = table(with).await.unwrap();
    assert_eq!(output["count"], output["rows"].as_array().unwrap().len());
    output["rows"].clone()
}

async fn error(with: Value) -> StepError {
    table(with).await.unwrap_err()
}

const CARS: &str =
    "name,origin,mpg\nchevy,USA,18\n\"bmw, 2002\",Europe,26.5\nford,USA,\n\"say \"\"hi\"\"\",Japan,0031\n";

#[tokio::test]
async fn csv_has_quotes_numbers_and_nulls() {
    let all = json!([
        {"name": "chevy", "origin": "USA", "mpg": 18},
        {"name": "bmw, 2002", "origin": "Europe", "mpg": 26.5},
        {"name": "ford", "origin": "USA", "mpg": null},
        {"name": "say \"hi\"", "origin": "Japan", "mpg": "0031"}]);
    assert_eq!(rows(json!({"data": CARS, "format": "csv"})).await, all);
    assert_eq!(
        rows(json!({"data": CARS})).await,
        all,
        "what is neither a list nor an object is CSV"
    );
    assert_eq!(
        rows(json!({"data": format!("\u{feff}{CARS}")})).await,
        all,
        "with a byte-order mark"
    );
    assert_eq!(rows(json!({"data": CARS.replace('\n', "\r\n")})).await, all);
    assert_eq!(rows(json!({"data": "a,b\n", "format": "csv"})).await, json!([]));
    assert_eq!(rows(json!({"data": "", "format": "csv"})).await, json!([]));
}

#[tokio::test]
async fn json_and_json_lines() {
    let expected = json!([{"b": 1, "a": {"c": [true]}}, {"b": 2.5}]);
    for data in [
        json!("{\"b\":1,\"a\":{\"c\":[true]}}\n\n{\"b\":2.5}\n"),
        json!("[{\"b\":1,\"a\":{\"c\":[true]}},{\"b\":2.5}]"),
        expected.clone(),
    ] {
        let rows = rows(json!({ "data": data })).await;
        assert_eq!(rows, expected);
        assert_eq!(
            rows[0].as_object().unwrap().keys().collect::<Vec<_>>(),
            ["b", "a"],
            "order is kept"
        );
    }
}

#[tokio::test]
async fn filter_select_sort_limit() {
    let with = json!({"data": CARS, "filter": "row.mpg != null && row.origin != 'Japan'",
        "select": {"who": "row.name", "litres": "235.215 / double(row.mpg)"}, "sortBy": "litres", "limit": 1});
    assert_eq!(
        rows(with).await,
        json!([{"who": "bmw, 2002", "litres": 8.876_037_735_849_057}])
    );
}

#[tokio::test]
async fn groups_come_in_the_order_they_are_seen() {
    let with = json!({"data": CARS, "groupBy": ["origin"], "aggregate": {
        "cars": "size(rows)", "label": "key.origin + '!'", "best": "rows.filter(r, r.mpg != null).map(r, r.name)"}});
    assert_eq!(
        rows(with).await,
        json!([
        {"origin": "USA", "cars": 2, "label": "USA!", "best": ["chevy"]},
        {"origin": "Europe", "cars": 1, "label": "Europe!", "best": ["bmw, 2002"]},
        {"origin": "Japan", "cars": 1, "label": "Japan!", "best": ["say \"hi\""]}])
    );
    let with = json!({"data": CARS, "aggregate": {"cars": "size(rows)"}});
    assert_eq!(rows(with).await, json!([{"cars": 4}]));
    let with = json!({"data": "a\n", "format": "csv", "aggregate": {"cars": "size(rows)"}});
    assert_eq!(
        rows(with).await,
        json!([{"cars": 0}]),
        "one group of nothing, as in SQL"
    );
    let with = json!({"data": "a\n", "format": "csv", "groupBy": ["a"], "aggregate": {"cars": "size(rows)"}});
    assert_eq!(rows(with).await, json!([]));
}

#[tokio::test]
async fn group_keys_compare_by_value_and_type() {
    let data = json!([{"k": 1}, {"k": 1.0}, {"k": "1"}, {"k": null}, {}, {"k": true}, {"k": -0.0}, {"k": 0}]);
    let with = json!({"data": data, "groupBy": ["k"], "aggregate": {"n": "size(rows)"}});
    let counts: Vec<(Value, Value)> = rows(with)
        .await
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["k"].clone(), row["n"].clone()))
        .collect();
    let expected = [
        (json!(1), 2),
        (json!("1"), 1),
        (json!(null), 2),
        (json!(true), 1),
        (json!(-0.0), 2),
    ];
    assert_eq!(counts, expected.map(|(key, count)| (key, json!(count))));
    // No separator inside a text makes two keys one.
    let data = json!([{"a": "x;", "b": "y"}, {"a": "x", "b": ";y"}]);
    assert_eq!(
        rows(json!({"data": data, "groupBy": ["a", "b"]}))
            .await
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn sorting_puts_missing_values_last_in_both_directions() {
    let data = json!([{"k": 2}, {"k": null}, {"k": "b"}, {"k": 1.5}, {}, {"k": true}, {"k": "a"}, {"k": 10}]);
    let sorted = async |descending: bool| {
        let with = json!({"data": data.clone(), "sortBy": "k", "descending": descending});
        rows(with)
            .await
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["k"].clone())
            .collect::<Vec<_>>()
    };
    let up = json!([true, 1.5, 2, 10, "a", "b", null, null]);
    let down = json!(["b", "a", 10, 2, 1.5, true, null, null]);
    assert_eq!(json!(sorted(false).await), up);
    assert_eq!(json!(sorted(true).await), down);
    // Equal rows keep their order.
    let data = json!([{"k": 1, "n": 1}, {"k": 1, "n": 2}, {"k": 1, "n": 3}]);
    assert_eq!(
        rows(json!({"data": data.clone(), "sortBy": "k", "descending": true})).await,
        data
    );
}

#[tokio::test]
async fn an_empty_optional_leaves_its_field_out() {
    let with = json!({"data": [{"a": 1}, {}], "select": {"b": "row.?a", "c": "row.?a.orValue(0)"}});
    assert_eq!(rows(with).await, json!([{"b": 1, "c": 1}, {"c": 0}]));
}

#[tokio::test]
async fn bad_data_says_where() {
    for (data, format, expected) in [
        (
            json!("a,b\n1,2\n3\n"),
            "csv",
            "row 2 (line 3) has 1 cells, the header 2",
        ),
        (json!("a,a\n1,2\n"), "csv", "the header names `a` twice"),
        (json!("a,\n1,2\n"), "csv", "column 2 has no name"),
        (json!("{\"a\":1}\n{\"a\":\n"), "jsonl", "line 2 is no JSON"),
        (
            json!("{\"a\":1}\n[1]\n"),
            "jsonl",
            "line 2 must be an object, not a list",
        ),
        (
            json!("{\"a\":1}"),
            "json",
            "must be a list of objects, not an object",
        ),
        (json!("[{}, 7]"), "json", "row 2 must be an object, not a number"),
        (json!([{}]), "csv", "with.format: is for text"),
        (json!([{}, "x"]), "json", "row 2 must be an object, not a text"),
        (
            json!({"a": 1}),
            "json",
            "must be a text or a list of objects, not an object",
        ),
    ] {
        let error = error(json!({"data": data, "format": format})).await;
        assert_eq!(
            (error.code.as_str(), error.retryable),
            ("InvalidInput", Some(false)),
            "{expected}"
        );
        assert!(error.message.contains(expected), "{}", error.message);
    }
}

#[tokio::test]
async fn bad_expressions_are_found_before_any_row() {
    for (more, expected) in [
        (json!({"filter": "row.a =="}), "with.filter: "),
        (json!({"select": {"x": "nothing("}}), "with.select.x: "),
        (
            json!({"select": {"x": 1}}),
            "with.select.x: must be an expression",
        ),
        (
            json!({"aggregate": {"a": "1"}, "groupBy": ["a"]}),
            "groupBy makes a field of this name",
        ),
        (json!({"groupBy": ["a", "a"]}), "`a` stands twice"),
        (json!({"limit": 0}), "with.limit: 1 to"),
        (
            json!({"sortBy": "b"}),
            "no row has a field `b`; the first row has a",
        ),
        (json!({"groupBy": ["b"]}), "no row has a field `b`"),
    ] {
        let mut with = json!({"data": [{"a": 1}]});
        with.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let error = error(with).await;
        assert_eq!(error.code, "InvalidInput", "{expected}: {}", error.message);
        assert!(error.message.contains(expected), "{}", error.message);
    }
}

#[tokio::test]
async fn an_expression_that_fails_names_row_field_and_source() {
    let data = json!([{"keep": false}, {"keep": true, "n": 1}, {"keep": true, "n": "x"}]);
    let failed =
        error(json!({"data": data.clone(), "filter": "row.keep", "select": {"m": "row.n * 2"}})).await;
    assert_eq!(failed.code, "ExpressionError");
    assert!(
        failed.message.starts_with("with.select.m over row: row 3: "),
        "{}",
        failed.message
    );
    let details = failed.details.unwrap();
    assert_eq!(
        (&details["row"], &details["field"], &details["expression"]),
        (&json!(3), &json!("m"), &json!("row.n * 2"))
    );

    let failed = error(json!({"data": data.clone(), "filter": "row.n"})).await;
    assert!(failed.message.contains("row 1"), "{}", failed.message);
    let failed = error(json!({"data": [{"a": 1}], "filter": "row.a"})).await;
    assert!(
        failed.message.contains("true or false, not int"),
        "{}",
        failed.message
    );
    let failed =
        error(json!({"data": data, "groupBy": ["keep"], "aggregate": {"s": "rows.map(r, r.n)"}})).await;
    assert!(
        failed
            .message
            .starts_with("with.aggregate.s over rows, key: group {\"keep\":false}: "),
        "{}",
        failed.message
    );
}

#[tokio::test]
async fn limits_hold() {
    let long = "a\n".to_owned() + &"1\n".repeat(100_001);
    assert_eq!(error(json!({ "data": long })).await.code, "LimitExceeded");
    let wide = format!("a\n{}\n", "x".repeat(16 * 1024 * 1024));
    assert_eq!(error(json!({ "data": wide })).await.code, "LimitExceeded");
    // What one row may use is little; all rows together share what there is.
    let data: Vec<Value> = (0..3000).map(|_| json!({ "t": "x".repeat(5000) })).collect();
    let select = json!({"d": "(row.t + row.t + row.t + row.t + row.t + row.t).size()"});
    let error = error(json!({"data": data, "select": select})).await;
    assert_eq!(error.code, "LimitExceeded");
    assert!(error.details.unwrap()["row"].as_u64().unwrap() > 1000);
}

#[tokio::test]
async fn the_most_rows_are_enough() {
    let mut text = "n,k\n".to_owned();
    for n in 0..100_000 {
        writeln!(text, "{n},{}", n % 7).unwrap();
    }
    let with = json!({"data": text, "filter": "row.n % 2 == 0", "select": {"k": "row.k", "d": "row.n * 2"},
        "groupBy": ["k"], "aggregate": {"sum": "rows.map(r, r.d).sum()"}, "sortBy": "k"});
    let rows = rows(with).await;
    let total: i64 = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["sum"].as_i64().unwrap())
        .sum();
    assert_eq!(
        total,
        (0..100_000).filter(|n| n % 2 == 0).map(|n| n * 2).sum::<i64>()
    );
}
