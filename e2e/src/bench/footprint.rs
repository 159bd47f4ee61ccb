//! Memory of the processes while nothing happens, as the kernel counts it.

use super::figures::Figure;

/// Resident memory of each of FlowPilot's processes on this machine, in MB, one value per process.
pub fn resident() -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (name, aim) in [
        ("flowpilot-api", "≤ 40 MB"),
        ("flowpilot-operator", "≤ 40 MB"),
        ("flowpilot-runner", "≤ 20 MB"),
    ] {
        let mut values = Vec::new();
        for entry in std::fs::read_dir("/proc")?.flatten() {
            let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
            let command = std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
            let program = command.split('\0').next().unwrap_or_default();
            if program.rsplit('/').next() == Some(name) {
                values.extend(field(&status, "VmRSS:").map(|kilobytes| kilobytes * 1024.0 / 1e6));
            }
        }
        figures.push(Figure::of(
            format!("resident memory, idle: `{name}`"),
            "MB",
            values,
            aim,
        ));
    }
    Ok(figures)
}

fn field(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
