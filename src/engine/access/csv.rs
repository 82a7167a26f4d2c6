//! CSV as RFC 4180 has it, in UTF-8 with `\n`, safe to open in a spreadsheet (RULES.md section 4).

use super::layout::Sheet;
use super::value::Value;

/// The header: `_dataset`, then the fields' paths. A field that is itself called `_dataset` is quoted
/// as a path, so that no two columns have one name.
pub(super) fn push_header(out: &mut String, sheet: &Sheet) {
    out.push_str("_dataset");
    for path in &sheet.columns {
        out.push(',');
        let name = path.to_string();
        if name == "_dataset" {
            push_text(out, "\"_dataset\"");
        } else {
            push_text(out, &name);
        }
    }
    out.push('\n');
}

/// One line. `cells` are the values of one dataset's row, `places` the column of each; `text` is
/// memory to reuse.
pub(super) fn push_row(
    out: &mut String,
    dataset: &str,
    columns: usize,
    cells: &[Value<'_>],
    places: &[usize],
    text: &mut String,
) {
    push_text(out, dataset);
    let mut line: Vec<Option<&Value<'_>>> = vec![None; columns];
    for (cell, place) in cells.iter().zip(places) {
        // Of two leaves with one path (files that disagree on a type) the one that is there shows.
        if line[*place].is_none_or(Value::is_blank) {
            line[*place] = Some(cell);
        }
    }
    for cell in line {
        out.push(',');
        if let Some(cell) = cell.filter(|cell| !cell.is_blank()) {
            text.clear();
            cell.push_csv(text);
            push_text(out, text);
        }
    }
    out.push('\n');
}

/// One cell that is not null: neutralised, then quoted where it must be.
fn push_text(out: &mut String, text: &str) {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number(text);
    if text.is_empty() || text.contains(['"', ',', '\n', '\r']) {
        out.push('"');
        if formula {
            out.push('\'');
        }
        for (index, part) in text.split('"').enumerate() {
            if index > 0 {
                out.push_str("\"\"");
            }
            out.push_str(part);
        }
        out.push('"');
    } else {
        if formula {
            out.push('\'');
        }
        out.push_str(text);
    }
}

/// Whether a spreadsheet reads the text as a plain number: sign, digits, fraction, exponent.
fn is_number(text: &str) -> bool {
    fn digits(text: &str) -> &str {
        text.trim_start_matches(|c: char| c.is_ascii_digit())
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let after_whole = digits(unsigned);
    let (after_fraction, fraction) = match after_whole.strip_prefix('.') {
        Some(rest) => (digits(rest), rest.len() - digits(rest).len()),
        None => (after_whole, 0),
    };
    if unsigned.len() - after_whole.len() + fraction == 0 {
        return false;
    }
    match after_fraction.strip_prefix(['e', 'E']) {
        None => after_fraction.is_empty(),
        Some(exponent) => {
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent).is_empty()
        }
    }
}
