//! What the kernel says about this process: memory, processor time, open files. Read anew for each scrape.
//!
//! Source: proc(5). Where `/proc` cannot be read, the figures are left out.

use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Ticks of a second in `/proc`; Linux shows 100 to every program whatever the kernel's own clock is.
const TICKS_PER_SECOND: f64 = 100.0;

/// Adds the figures of the process to what is scraped.
#[derive(Debug)]
pub(crate) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut gauge = |name: &str, help: &str, value: Option<f64>| match value {
            Some(value) => gauge(&mut encoder, name, help, value),
            None => Ok(()),
        };
        gauge(
            "process_resident_memory_bytes",
            "Memory in RAM",
            status_bytes("VmRSS:"),
        )?;
        gauge(
            "process_virtual_memory_bytes",
            "Address space",
            status_bytes("VmSize:"),
        )?;
        gauge("process_open_fds", "Open file descriptors", open_files())?;
        gauge("process_threads", "Threads", status("Threads:"))?;
        let stat = Stat::read();
        gauge(
            "process_start_time_seconds",
            "Start as Unix time",
            stat.as_ref().and_then(Stat::started),
        )?;
        if let Some(stat) = stat {
            let counter = ConstCounter::new(stat.cpu_ticks / TICKS_PER_SECOND);
            let help = "Processor time in user and kernel mode";
            let metric =
                encoder.encode_descriptor("process_cpu_seconds", help, None, counter.metric_type())?;
            counter.encode(metric)?;
        }
        Ok(())
    }
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: f64) -> std::fmt::Result {
    let gauge = ConstGauge::new(value);
    gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
}

fn status(field: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse().ok()
}

fn status_bytes(field: &str) -> Option<f64> {
    status(field).map(|kibibytes| kibibytes * 1024.0)
}

fn open_files() -> Option<f64> {
    // Reading the folder opens one more, which is not counted.
    let count = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    u32::try_from(count).ok().map(f64::from)
}

struct Stat {
    cpu_ticks: f64,
    start_ticks: f64,
}

impl Stat {
    fn read() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        // The name of the program stands in brackets and may hold blanks and brackets itself.
        let fields: Vec<&str> = stat.get(stat.rfind(')')? + 1..)?.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
        Some(Self {
            cpu_ticks: ticks(11)? + ticks(12)?,
            start_ticks: ticks(19)?,
        })
    }

    fn started(&self) -> Option<f64> {
        let system = fs::read_to_string("/proc/stat").ok()?;
        let boot = system
            .lines()
            .find_map(|line| line.strip_prefix("btime "))?
            .trim()
            .parse::<f64>()
            .ok()?;
        Some(boot + self.start_ticks / TICKS_PER_SECOND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_this_process_make_sense() {
        assert!(status_bytes("VmRSS:").unwrap() > 100_000.0);
        assert!(open_files().unwrap() >= 3.0);
        let stat = Stat::read().unwrap();
        // After 2020 and not in the far future: a wrong field gives another order of magnitude.
        assert!((1.6e9..1e10).contains(&stat.started().unwrap()));
        assert!(stat.cpu_ticks >= 0.0);
    }
}
