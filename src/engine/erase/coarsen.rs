//! The method `coarsen` (RULES.md section 5): floats to 2 decimals, timestamps to the day, dates to
//! the month. Doing it twice changes nothing.

use crate::model::{LeafType, TimeUnit};

use super::order::half;
use super::values::Physical;

/// What is coarsened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coarsen {
    F16,
    F32,
    F64,
    /// Units of a timestamp a day.
    Timestamp(i64),
    I96,
    Date,
}

const DAY_NANOS: i64 = 86_400_000_000_000;

impl Coarsen {
    pub(crate) const fn of(kind: &LeafType, physical: Physical) -> Option<Self> {
        Some(match (kind, physical) {
            (LeafType::Float, Physical::F32) => Self::F32,
            (LeafType::Float, Physical::F64) => Self::F64,
            (LeafType::Float, Physical::Fixed(2)) => Self::F16,
            (LeafType::Date, Physical::I32) => Self::Date,
            (LeafType::Timestamp(_), Physical::I96) => Self::I96,
            (LeafType::Timestamp(unit), Physical::I64) => Self::Timestamp(match unit {
                TimeUnit::Second => 86_400,
                TimeUnit::Millisecond => 86_400_000,
                TimeUnit::Microsecond => 86_400_000_000,
                TimeUnit::Nanosecond => DAY_NANOS,
            }),
            _ => return None,
        })
    }

    /// The coarse value; `None` where the bytes are not of the type's width.
    pub(crate) fn apply(self, raw: &[u8]) -> Option<Vec<u8>> {
        Some(match self {
            Self::F16 => {
                let bits = u16::from_le_bytes(raw.try_into().ok()?);
                match two_decimals(half(bits)) {
                    Some(coarse) => nearest_half(coarse).to_le_bytes().to_vec(),
                    None => raw.to_vec(),
                }
            }
            Self::F32 => match two_decimals(f64::from(f32::from_le_bytes(raw.try_into().ok()?))) {
                Some(coarse) => (coarse as f32).to_le_bytes().to_vec(),
                None => raw.to_vec(),
            },
            Self::F64 => match two_decimals(f64::from_le_bytes(raw.try_into().ok()?)) {
                Some(coarse) => coarse.to_le_bytes().to_vec(),
                None => raw.to_vec(),
            },
            Self::Timestamp(day) => {
                let stamp = i64::from_le_bytes(raw.try_into().ok()?);
                let start =
                    stamp.checked_sub(stamp.rem_euclid(day)).unwrap_or_else(|| stamp - stamp % day);
                start.to_le_bytes().to_vec()
            }
            Self::I96 => {
                let nanos = i64::from_le_bytes(raw.get(..8)?.try_into().ok()?);
                let day = i32::from_le_bytes(raw.get(8..)?.try_into().ok()?);
                let days = i32::try_from(nanos.div_euclid(DAY_NANOS)).unwrap_or(0);
                let mut coarse = vec![0; 8];
                coarse.extend_from_slice(&day.wrapping_add(days).to_le_bytes());
                coarse
            }
            Self::Date => {
                let days = i64::from(i32::from_le_bytes(raw.try_into().ok()?));
                let first = days - i64::from(day_of_month(days)) + 1;
                i32::try_from(first).unwrap_or(i32::MIN).to_le_bytes().to_vec()
            }
        })
    }
}

/// `None` where there is nothing to round: no number, none so large that it has decimals.
fn two_decimals(number: f64) -> Option<f64> {
    let hundredfold = number * 100.0;
    if !hundredfold.is_finite() || hundredfold.abs() >= 2_f64.powi(52) || number == 0.0 {
        return None;
    }
    let coarse = hundredfold.round() / 100.0;
    // No minus before a zero: the sign would still say where the value was.
    Some(if coarse == 0.0 { 0.0 } else { coarse })
}

/// The nearest half-precision float of a finite number, ties to even.
pub(crate) fn nearest_half(number: f64) -> u16 {
    let sign = if number.is_sign_negative() { 0x8000 } else { 0 };
    let size = number.abs();
    if size >= 65_520.0 {
        return sign | 0x7c00;
    }
    // The spacing of floats around this size.
    let mut exponent = -14;
    while exponent < 15 && size >= 2_f64.powi(exponent + 1) {
        exponent += 1;
    }
    let steps = (size / 2_f64.powi(exponent - 10)).round_ties_even() as u32;
    // A subnormal has fewer than 1024 steps and the exponent field 0: the sum works out for both.
    let bits = if steps < 1024 { steps } else { steps - 1024 + (((exponent + 15) as u32) << 10) };
    sign | bits as u16
}

/// Day of the month, from 1, of a day since 1970-01-01 in the proleptic Gregorian calendar.
const fn day_of_month(days: i64) -> i32 {
    // Years that begin in March put the leap day last.
    let shifted = days + 719_468;
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    (of_year - (153 * month + 2) / 5 + 1) as i32
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn rounds_places_to_two_decimals() {
        let coarse = |n: f64| {
            f64::from_le_bytes(Coarsen::F64.apply(&n.to_le_bytes()).unwrap().try_into().unwrap())
        };
        assert_eq!(coarse(52.520_008), 52.52);
        assert_eq!(coarse(-0.004), 0.0);
        assert!(coarse(-0.004).is_sign_positive());
        assert_eq!(coarse(1e300), 1e300);
        assert!(coarse(f64::NAN).is_nan());
    }

    #[test]
    fn takes_dates_to_the_first_of_the_month() {
        let epoch = jiff::civil::date(1970, 1, 1);
        for days in (-800_000_i32..800_000).step_by(13) {
            let date = epoch.checked_add(jiff::Span::new().days(days)).unwrap();
            let coarse = Coarsen::Date.apply(&days.to_le_bytes()).unwrap();
            let coarse = i32::from_le_bytes(coarse.try_into().unwrap());
            assert_eq!(days - coarse, i32::from(date.day()) - 1);
        }
    }

    #[test]
    fn halves_survive_a_round_trip_and_coarsening_is_idempotent() {
        for bits in 0..=u16::MAX {
            if half(bits).is_finite() {
                assert_eq!(nearest_half(half(bits)), bits);
            }
            let once = Coarsen::F16.apply(&bits.to_le_bytes()).unwrap();
            assert_eq!(Coarsen::F16.apply(&once).unwrap(), once);
        }
    }

    #[test]
    fn timestamps_before_the_epoch_go_down() {
        let coarse = Coarsen::Timestamp(86_400_000).apply(&(-1_i64).to_le_bytes()).unwrap();
        assert_eq!(coarse, (-86_400_000_i64).to_le_bytes());
        assert!(Coarsen::Timestamp(86_400_000).apply(&i64::MIN.to_le_bytes()).is_some());
    }
}
