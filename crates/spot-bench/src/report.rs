//! Stores the results of each part as JSON, and writes the report. The report can be written again
//! without new measurements.

use std::{error::Error, fs, io::ErrorKind, path::PathBuf, process::Command};

use serde::{Deserialize, Serialize};

use crate::plots;

pub(crate) use crate::table::Table;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The parts of the benchmark, in the order of the report.
pub(crate) const PARTS: [&str; 7] =
    ["decode", "instructions", "pages", "requests", "call", "mock", "weight"];

/// The tables and notes of one part.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    part: String,
    /// Day of the run, in UTC.
    date: String,
    machine: String,
    compiler: String,
    pub(crate) tables: Vec<Table>,
}

impl Report {
    pub(crate) fn new(part: &str) -> Result<Self> {
        let compiler = Command::new("rustc").arg("--version").output()?;
        Ok(Self {
            part: part.to_owned(),
            date: chrono::Utc::now().format("%F").to_string(),
            machine: machine(),
            compiler: String::from_utf8_lossy(&compiler.stdout).trim().to_owned(),
            tables: Vec::new(),
        })
    }

    pub(crate) fn add(&mut self, table: Table) {
        self.tables.push(table);
    }

    /// Adds a paragraph to the last table.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        if let Some(table) = self.tables.last_mut() {
            table.note(text);
        }
    }

    /// Formats the tables and notes as Markdown.
    pub(crate) fn markdown(&self) -> String {
        self.tables.iter().map(Table::markdown).collect()
    }

    /// Stores the report for [`render`].
    pub(crate) fn store(&self) -> Result<()> {
        let dir = home().join("results");
        fs::create_dir_all(&dir)?;
        let json = serde_json::to_string_pretty(self)? + "\n";
        Ok(fs::write(dir.join(format!("{}.json", self.part)), json)?)
    }

    /// Loads the stored report of a part, if it exists.
    fn load(part: &str) -> Result<Option<Self>> {
        match fs::read(home().join(format!("results/{part}.json"))) {
            Ok(json) => Ok(Some(serde_json::from_slice(&json)?)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn origin(&self) -> String {
        format!("on {}, {}, {}", self.date, self.machine, self.compiler)
    }
}

/// Writes `RESULTS.md` and the plots from the stored reports.
pub(crate) fn render() -> Result<()> {
    let mut reports = Vec::new();
    for part in PARTS {
        reports.extend(Report::load(part)?);
    }
    let origin = match reports.as_slice() {
        [first, rest @ ..] if rest.iter().all(|report| report.origin() == first.origin()) => {
            format!(
                "These are the results of one run of `cargo xtask bench` {}.\n\n",
                first.origin()
            )
        }
        _ => {
            let line = |report: &Report| {
                format!("- `cargo xtask bench {}` {}\n", report.part, report.origin())
            };
            format!(
                "The results are from several runs:\n\n{}\n",
                reports.iter().map(line).collect::<String>()
            )
        }
    };
    let tables: Vec<&Table> = reports.iter().flat_map(|report| &report.tables).collect();
    let pictures = plots::draw(&tables, &home().join("plots"))?;
    let tables: String = reports.iter().map(Report::markdown).collect();
    let notes = fs::read_to_string(home().join("NOTES.md"))?;
    let text = format!("# Results\n\n{origin}{pictures}{tables}{notes}");
    Ok(fs::write(home().join("RESULTS.md"), text)?)
}

/// The directory of this crate.
pub(crate) fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    format!("{cores} cores of {}", model.unwrap_or(std::env::consts::ARCH))
}
