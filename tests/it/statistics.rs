//! What scipy and statsmodels make of random numbers, and what dosed makes of them.

use std::process::Command;

use dosed::core::insight::{detrended, holm, rho, tau_b, tau_b_p, theil_sen, variance_inflation, wilson};
use serde_json::Value;

/// What two ways of computing the same may differ by, relative to 1 or to the value.
const ROUNDING: f64 = 1e-7;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[track_caller]
fn near(what: &str, got: &[f64], expected: &[f64], case: &Value) {
    assert_eq!(got.len(), expected.len(), "{what} of {case}");
    for (got, expected) in got.iter().zip(expected) {
        let distance = (got - expected).abs() / expected.abs().max(1.0);
        assert!(distance < ROUNDING, "{what}: {got} is not {expected}, of {case}");
    }
}

/// Compares a value that may not be defined.
#[track_caller]
fn same(what: &str, got: Option<f64>, case: &Value) -> usize {
    let expected = case[what].as_f64();
    assert_eq!(got.is_some(), expected.is_some(), "{what}: {got:?} of {case}");
    near(what, got.as_slice(), expected.as_slice(), case);
    usize::from(expected.is_some())
}

#[test]
#[ignore = "needs python3 python3-scipy python3-statsmodels"]
fn statistics_agree_with_scipy_and_statsmodels() {
    let script = format!("{}/tests/oracles/statistics.py", env!("CARGO_MANIFEST_DIR"));
    // Debian's interpreter, as Debian's packages are for no other.
    let output = Command::new("/usr/bin/python3").arg(script).output().unwrap();
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "statistics.py failed; it needs the packages python3-scipy and python3-statsmodels\n{problem}"
    );
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |name: &str| found[name].as_array().unwrap();
    let (mut defined, mut exact, mut slopes) = (0, 0, 0);
    for case in of("series") {
        let (x, y, times) = (numbers(&case["x"]), numbers(&case["y"]), numbers(&case["times"]));
        defined += same("tau_b", tau_b(&x, &y), case);
        same("rho", rho(&x, &y), case);
        near("detrended", &detrended(&times, &y), &numbers(&case["detrended"]), case);
        if case["slope"].is_array() {
            let (slope, low, high) = theil_sen(&x, &y).unwrap();
            // Of too few points scipy gives no interval; dosed shows none below 8.
            let known = if case["slope"][1].is_null() { 1 } else { 3 };
            let expected = Value::Array(case["slope"].as_array().unwrap()[..known].to_vec());
            near("slope", &[slope, low, high][..known], &numbers(&expected), case);
            slopes += 1;
        }
        if case["p"].is_number() {
            exact += same("p", tau_b_p(&x, &y).map(|(p, _)| p), case);
        }
    }
    for case in of("families") {
        near("holm", &holm(&numbers(&case["p"])), &numbers(&case["holm"]), case);
    }
    for case in of("shares") {
        let count = |name: &str| u32::try_from(case[name].as_u64().unwrap()).unwrap();
        near("interval", &wilson(count("hits"), count("of")).unwrap(), &numbers(&case["interval"]), case);
    }
    for case in of("columns") {
        let columns: Vec<Vec<f64>> = case["columns"].as_array().unwrap().iter().map(numbers).collect();
        near("factors", &variance_inflation(&columns).unwrap(), &numbers(&case["factors"]), case);
    }
    println!("statistics: {defined} series, {exact} exact p, {slopes} slopes agree");
    assert!(defined > 300 && exact > 20 && slopes > 300, "too little to be worth anything");
}
