//! The tables of a report.

use std::error::Error;

use serde::{Deserialize, Serialize};

/// A table with a title, and paragraphs after the table.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) title: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
}

impl Table {
    pub(crate) fn new(title: impl Into<String>, head: &[&str]) -> Self {
        let head = head.iter().map(|&cell| cell.to_owned()).collect();
        Self { title: title.into(), head, rows: Vec::new(), notes: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Adds a paragraph after the table.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Returns the cells of a column, in the order of the rows.
    pub(crate) fn column(&self, name: &str) -> Result<Vec<&str>, Box<dyn Error>> {
        let at = self.head.iter().position(|head| head == name);
        let at = at.ok_or_else(|| format!("{:?} has no column {name:?}", self.title))?;
        Ok(self.rows.iter().map(|row| row.get(at).map_or("", String::as_str)).collect())
    }

    /// Formats the table as Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("### {}\n\n| {} |\n", self.title, self.head.join(" | "));
        text += &format!("|{}\n", "---|".repeat(self.head.len()));
        for row in &self.rows {
            text += &format!("| {} |\n", row.join(" | "));
        }
        for note in &self.notes {
            text += &format!("\n{note}\n");
        }
        text + "\n"
    }
}
