//! Times on the command line: nanoseconds since 1970, or a date.
//!
//! ```text
//!   1590585404546128000   -5
//!   2020-05-27                           midnight, UTC
//!   2020-05-27T13:16[:44[.546128]][Z | +02:00]      T or t or a space; without a zone it is UTC
//! ```

const SECOND: i128 = 1_000_000_000;
const DAY: i64 = 86_400;

/// Reads a time.
pub(crate) fn parse(text: &str) -> Result<i64, String> {
    if let Ok(nanoseconds) = text.parse() {
        return Ok(nanoseconds);
    }
    let nanoseconds = moment(text).ok_or_else(|| {
        "neither nanoseconds since 1970 nor a date such as 2020-05-27 or 2020-05-27T13:16:44.5+02:00"
            .to_string()
    })?;
    i64::try_from(nanoseconds).map_err(|_| "not between the years 1677 and 2262".to_string())
}

fn moment(text: &str) -> Option<i128> {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let (year, month, day) = three(date, '-')?;
    let seconds = days(year, month, day)? * DAY;
    let (within, fraction) = match time {
        Some(time) => clock(time)?,
        None => (0, 0),
    };
    Some(i128::from(seconds + within) * SECOND + fraction)
}

/// Seconds and nanoseconds of a time of day, its zone taken away.
fn clock(text: &str) -> Option<(i64, i128)> {
    let (text, offset) = zone(text)?;
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, digits)) => (whole, nanoseconds(digits)?),
        None => (text, 0),
    };
    let (hour, rest) = whole.split_once(':')?;
    let (minute, second) = rest.split_once(':').unwrap_or((rest, "00"));
    let [hour, minute, second] = [(hour, 23), (minute, 59), (second, 59)].map(|(text, most)| two(text, most));
    Some((hour? * 3600 + minute? * 60 + second? - offset, fraction))
}

/// The text before the zone, and how many seconds the zone is ahead.
fn zone(text: &str) -> Option<(&str, i64)> {
    if let Some(text) = text.strip_suffix(['Z', 'z']) {
        return Some((text, 0));
    }
    let Some(at) = text.rfind(['+', '-']) else { return Some((text, 0)) };
    let (hours, minutes) = text[at + 1..].split_once(':')?;
    let offset = two(hours, 23)? * 3600 + two(minutes, 59)? * 60;
    Some((&text[..at], if text[at..].starts_with('-') { -offset } else { offset }))
}

fn nanoseconds(digits: &str) -> Option<i128> {
    let all = (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| format!("{digits:0<9}").parse().ok()).flatten()
}

fn two(text: &str, most: i64) -> Option<i64> {
    let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().filter(|number| *number <= most)
}

fn three(text: &str, at: char) -> Option<(i64, i64, i64)> {
    let (year, rest) = text.split_once(at)?;
    let (month, day) = rest.split_once(at)?;
    let digits = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    Some((digits.then(|| year.parse().ok()).flatten()?, two(month, 12)?, two(day, 31)?))
}

/// Days since 1970 of a date that there is.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years begin in March, so that a leap day ends one: 153 days in any five months from there.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(365 * year + leaps + (153 * month + 2) / 5 + day - 1 - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_or_a_date_in_any_zone() {
        for (text, time) in [
            ("-5", -5),
            ("1970-01-01", 0),
            ("2020-05-27T13:16:44.546128Z", 1_590_585_404_546_128_000),
            ("2020-05-27t15:16:44.546128+02:00", 1_590_585_404_546_128_000),
            ("2020-05-27 13:16:44.546128000z", 1_590_585_404_546_128_000),
            ("2020-05-27T08:46-04:30", 1_590_585_360_000_000_000),
            ("1969-12-31T23:59:59.999999999Z", -1),
            ("2000-02-29", 951_782_400_000_000_000),
            ("1677-09-21T00:12:44Z", -9_223_372_036_000_000_000),
        ] {
            assert_eq!(parse(text), Ok(time), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "yesterday",
            "2020-5-27",
            "2021-02-29",
            "2020-13-01",
            "2020-05-27T",
            "2020-05-27T24:00:00Z",
            "2020-05-27T13:16:60Z",
            "2020-05-27T13:16:44.Z",
            "2020-05-27T13:16:44+0200",
            "9999-01-01",
            "1600-01-01",
            "2020-05-27T13:16:44.1234567890Z",
            "20200527",
            "\u{e9}-01-01",
        ] {
            let said = parse(text);
            assert!(text == "20200527" || said.is_err(), "{text}: {said:?}");
        }
    }
}
