//! `person.html` and `device.html`: each field's unique values and their counts (RULES.md section 4).
//!
//! The values are written as they come: a page may hold millions. All of them are there; beyond the
//! first few of a field they show on demand, without a script.

use std::fmt::Write;

use askama::Template;

use super::archive::Content;
use super::index::{grouped, moment, records};
use super::layout::Sheet;
use super::tally::{Counted, Sums};
use super::{AccessError, AccessTask};

/// Values of a field that show at once.
const FIRST: u64 = 25;

#[derive(Template)]
#[template(path = "access/summary.html")]
struct Head<'a> {
    product: &'a str,
    kind: &'a str,
    device: bool,
    rows: String,
    request: &'a str,
    key: &'a str,
    compiled: String,
    fields: Vec<FieldLink>,
}

struct FieldLink {
    path: String,
    unique: String,
}

/// Writes the page of a sheet.
pub(super) fn write(
    task: &AccessTask<'_>,
    sheet: &Sheet,
    counted: &mut Counted,
    out: &mut Content<'_>,
) -> Result<(), AccessError> {
    let fields = sheet.columns.iter().zip(&counted.sums);
    let head = Head {
        product: &sheet.directory,
        kind: sheet.kind(),
        device: sheet.device,
        rows: records(sheet.rows),
        request: task.request.as_str(),
        key: task.key,
        compiled: moment(task.compiled_at),
        fields: fields
            .map(|(path, sums)| FieldLink { path: path.to_string(), unique: grouped(sums.unique) })
            .collect(),
    };
    head.render_into(&mut out.buffer)
        .map_err(|_| AccessError::Bug("a summary page cannot be written"))?;
    for (index, path) in sheet.columns.iter().enumerate() {
        let sums = counted.sums.get(index).copied().unwrap_or_default();
        push_section_start(&mut out.buffer, index, &path.to_string(), sums);
        let mut shown = 0;
        while let Some((column, count, value)) = counted.current()
            && column == super::record::number(index)
        {
            if shown == FIRST {
                out.buffer.push_str("</tbody>\n<tbody class=\"rest\">\n");
            }
            out.buffer.push_str("<tr><td>");
            push_escaped(&mut out.buffer, value);
            let _ = writeln!(out.buffer, "</td><td>{count}</td></tr>");
            shown += 1;
            out.flush_if_full()?;
            counted.advance()?;
        }
        if shown != sums.unique {
            return Err(AccessError::Bug("a field has not as many values as were counted"));
        }
        push_section_end(&mut out.buffer, index, sums);
    }
    out.buffer.push_str("</main>\n</body>\n</html>\n");
    Ok(())
}

fn push_section_start(out: &mut String, index: usize, path: &str, sums: Sums) {
    let number = index + 1;
    out.push_str("<section data-field=\"");
    push_escaped(out, path);
    // The attributes are a contract: nothing else stands in the tag.
    out.push_str("\">\n<h2>");
    push_escaped(out, path);
    out.push_str("</h2>\n");
    if sums.unique > FIRST {
        let _ = writeln!(out, "<input type=\"checkbox\" class=\"more\" id=\"all{number}\">");
    }
    out.push_str("<table>\n<caption>");
    let _ = match (sums.unique, sums.total) {
        (0, _) => write!(out, "No record holds a value."),
        (1, 1) => write!(out, "One value, once."),
        (1, total) => write!(out, "One value, {} times.", grouped(total)),
        (unique, total) => write!(
            out,
            "{} different values, {} in all, most frequent first.",
            grouped(unique),
            grouped(total)
        ),
    };
    out.push_str("</caption>\n<thead><tr><th scope=\"col\">Value</th><th scope=\"col\">Count</th></tr></thead>\n<tbody>\n");
}

fn push_section_end(out: &mut String, index: usize, sums: Sums) {
    out.push_str("</tbody>\n</table>\n");
    if sums.unique > FIRST {
        let _ = writeln!(
            out,
            "<label for=\"all{}\"><span class=\"all\">Show all {} values</span><span \
             class=\"less\">Show the first {FIRST} only</span></label>",
            index + 1,
            grouped(sums.unique)
        );
    }
    out.push_str("</section>\n");
}

/// Text that is text wherever it stands. HTML has no form for NUL: it becomes the replacement
/// character, as browsers would have it.
pub(super) fn push_escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // A bare one would read as a line feed.
            '\r' => out.push_str("&#13;"),
            '\0' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}
