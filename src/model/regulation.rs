//! Regulations and the deadlines they set (RULES.md section 6).

use std::fmt;

use jiff::{Span, Timestamp, civil::Weekday, tz::TimeZone};

/// A period from receipt to due date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// `30d`: calendar days.
    Days(u16),
    /// `1mo`: calendar months; the last day where the month is shorter.
    Months(u16),
    /// `20wd`: working days, Monday to Friday.
    WorkingDays(u16),
}

impl Deadline {
    /// Reads `30d`, `1mo` or `20wd`; up to 3,650.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let number: u16 = number.parse().ok().filter(|n| (1..=3650).contains(n))?;
        match unit {
            "d" => Some(Self::Days(number)),
            "mo" => Some(Self::Months(number)),
            "wd" => Some(Self::WorkingDays(number)),
            _ => None,
        }
    }

    /// The instant that far after `received`, in UTC; saturates at the end of the calendar.
    pub fn after(self, received: Timestamp) -> Timestamp {
        let start = received.to_zoned(TimeZone::UTC).datetime();
        let due = match self {
            Self::Days(n) => start.saturating_add(Span::new().days(n)),
            Self::Months(n) => start.saturating_add(Span::new().months(n)),
            Self::WorkingDays(n) => {
                let mut day = start;
                let mut left = n;
                while left > 0 {
                    day = day.saturating_add(Span::new().days(1));
                    if !matches!(day.date().weekday(), Weekday::Saturday | Weekday::Sunday) {
                        left -= 1;
                    }
                }
                day
            }
        };
        due.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
    }
}

impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days(n) => write!(f, "{n}d"),
            Self::Months(n) => write!(f, "{n}mo"),
            Self::WorkingDays(n) => write!(f, "{n}wd"),
        }
    }
}

/// A regulation code of a request, lower-cased; unknown codes are kept, with the 30 days that count
/// for them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Regulation(String);

/// The codes of Adobe's list with their deadlines. Every US state act follows the CCPA's 45 days.
const KNOWN: &[(&str, Deadline)] = &[
    ("gdpr", Deadline::Months(1)),
    ("ccpa", Deadline::Days(45)),
    ("cpra_usa", Deadline::Days(45)),
    ("cpa_usa", Deadline::Days(45)),
    ("cpa_co_usa", Deadline::Days(45)),
    ("ctdpa_usa", Deadline::Days(45)),
    ("ctdpa_ct_usa", Deadline::Days(45)),
    ("dpdpa_de_usa", Deadline::Days(45)),
    ("dpdpa_usa", Deadline::Days(45)),
    ("fdbr_usa", Deadline::Days(45)),
    ("fdbr_fl_usa", Deadline::Days(45)),
    ("icdpa_ia_usa", Deadline::Days(45)),
    ("icdpa_usa", Deadline::Days(45)),
    ("mcdpa_mn_usa", Deadline::Days(45)),
    ("mcdpa_mt_usa", Deadline::Days(45)),
    ("mcdpa_usa", Deadline::Days(45)),
    ("mhmda_usa", Deadline::Days(45)),
    ("mhmda_wa_usa", Deadline::Days(45)),
    ("modpa_md_usa", Deadline::Days(45)),
    ("ndpa_ne_usa", Deadline::Days(45)),
    ("ndpa_usa", Deadline::Days(45)),
    ("nhpa_nh_usa", Deadline::Days(45)),
    ("nhpa_usa", Deadline::Days(45)),
    ("njdpa_nj_usa", Deadline::Days(45)),
    ("njdpa_usa", Deadline::Days(45)),
    ("ocpa_or_usa", Deadline::Days(45)),
    ("ocpa_usa", Deadline::Days(45)),
    ("tdpsa_tx_usa", Deadline::Days(45)),
    ("tdpsa_usa", Deadline::Days(45)),
    ("tipa_tn_usa", Deadline::Days(45)),
    ("tipa_usa", Deadline::Days(45)),
    ("ucpa_usa", Deadline::Days(45)),
    ("ucpa_ut_usa", Deadline::Days(45)),
    ("vcdpa_usa", Deadline::Days(45)),
    ("vcdpa_va_usa", Deadline::Days(45)),
    ("hipaa_usa", Deadline::Days(30)),
    ("lgpd_bra", Deadline::Days(15)),
    ("pdpa_tha", Deadline::Days(30)),
    ("apa_aus", Deadline::Days(30)),
    ("nzpa_nzl", Deadline::WorkingDays(20)),
];

impl Regulation {
    /// The regulation of that code, compared without case.
    pub fn new(code: &str) -> Self {
        Self(code.to_lowercase())
    }

    /// Lower-case code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the code is on the list.
    pub fn is_known(&self) -> bool {
        KNOWN.iter().any(|(code, _)| *code == self.0)
    }

    /// The deadline by law; 30 days for an unknown code.
    pub fn deadline(&self) -> Deadline {
        KNOWN.iter().find(|(code, _)| *code == self.0).map_or(Deadline::Days(30), |(_, d)| *d)
    }

    /// The codes on the list.
    pub fn known() -> impl Iterator<Item = &'static str> {
        KNOWN.iter().map(|(code, _)| *code)
    }
}

impl fmt::Display for Regulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
