//! Words, numbers and colours for people.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// Whether escape sequences for colour are written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// Colour.
    pub color: bool,
}

impl Style {
    fn paint(self, codes: &str, text: &str) -> String {
        if self.color { format!("\u{1b}[{codes}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// For what matters most.
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// For what went well.
    pub fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// For what destroys or needs a person.
    pub fn warn(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// For what failed.
    pub fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// For what may be skipped.
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }
}

/// `1 row`, `1,204 rows`.
pub fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// `1,204`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `512 B`, `1.4 MB`: powers of 1000.
pub fn bytes(n: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB"];
    let mut value = n as f64;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    match units.get(unit) {
        Some(&"B") | None => format!("{n} B"),
        Some(name) => format!("{value:.1} {name}"),
    }
}

/// A plain table: a header, rows, columns aligned right where said so.
pub fn table(header: &[&str], rows: Vec<Vec<String>>, right: &[usize]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if right.contains(&i) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_like_numbers() {
        assert_eq!(
            [count(0), count(999), count(1_204), count(12_345_678)],
            ["0", "999", "1,204", "12,345,678"]
        );
        assert_eq!(
            [bytes(999), bytes(1_000), bytes(1_449_000), bytes(999_960)],
            ["999 B", "1.0 kB", "1.4 MB", "1.0 MB"]
        );
        assert_eq!([plural(1, "row", "rows"), plural(0, "row", "rows")], ["1 row", "0 rows"]);
    }
}
