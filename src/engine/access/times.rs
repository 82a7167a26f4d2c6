//! Dates and times as text, over the whole range of their columns (far beyond what calendars of
//! other libraries take).

use std::fmt::Write;

const NANOS: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * NANOS;

/// `YYYY-MM-DD`; days since 1970-01-01 in the proleptic Gregorian calendar. Years over 9999 take the
/// digits they need; years before 0 a `-`.
pub(super) fn push_date(out: &mut String, days: i128) {
    // Howard Hinnant's algorithm: eras of 400 years that start on the first of March.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i128::from(month <= 2);
    let sign = if year < 0 { "-" } else { "" };
    let _ = write!(out, "{sign}{:04}-{month:02}-{day:02}", year.unsigned_abs());
}

/// The day of an instant (nanoseconds since 1970-01-01T00:00:00Z), in UTC.
pub(super) fn push_day(out: &mut String, nanos: i128) {
    push_date(out, nanos.div_euclid(DAY));
}

/// `YYYY-MM-DD HH:MM:SS` in UTC; fractions of a second are left out (RULES.md section 4).
pub(super) fn push_seconds(out: &mut String, nanos: i128) {
    push_day(out, nanos);
    out.push(' ');
    let of_day = nanos.rem_euclid(DAY);
    push_time(out, of_day - of_day % NANOS);
}

/// RFC 3339 in UTC with every digit: `YYYY-MM-DDTHH:MM:SS[.fraction]Z`.
pub(super) fn push_rfc3339(out: &mut String, nanos: i128) {
    push_day(out, nanos);
    out.push('T');
    push_time(out, nanos.rem_euclid(DAY));
    out.push('Z');
}

/// `HH:MM:SS[.fraction]`, from nanoseconds since midnight.
pub(super) fn push_time(out: &mut String, nanos: i128) {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    let seconds = nanos / NANOS.unsigned_abs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let _ = write!(out, "{sign}{hours:02}:{minutes:02}:{seconds:02}");
    push_fraction(out, nanos % NANOS.unsigned_abs());
}

/// ISO 8601 duration in seconds: `PT1.5S`, `-PT0.25S`.
pub(super) fn push_duration(out: &mut String, nanos: i128) {
    out.push_str(if nanos < 0 { "-PT" } else { "PT" });
    push_duration_seconds(out, nanos.unsigned_abs());
}

/// ISO 8601 period: `P1M2DT3.5S`; each part carries its own sign.
pub(super) fn push_interval(out: &mut String, months: i64, days: i64, nanos: i128) {
    let _ = write!(out, "P{months}M{days}DT");
    if nanos < 0 {
        out.push('-');
    }
    push_duration_seconds(out, nanos.unsigned_abs());
}

fn push_duration_seconds(out: &mut String, nanos: u128) {
    let _ = write!(out, "{}", nanos / NANOS.unsigned_abs());
    push_fraction(out, nanos % NANOS.unsigned_abs());
    out.push('S');
}

/// Nothing, or a point and 3, 6 or 9 digits.
fn push_fraction(out: &mut String, nanos: u128) {
    let _ = if nanos == 0 {
        Ok(())
    } else if nanos.is_multiple_of(1_000_000) {
        write!(out, ".{:03}", nanos / 1_000_000)
    } else if nanos.is_multiple_of(1000) {
        write!(out, ".{:06}", nanos / 1000)
    } else {
        write!(out, ".{nanos:09}")
    };
}
