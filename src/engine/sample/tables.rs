//! The rows of the sample lake.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Builder,
    Int64Array, ListBuilder, StringArray, StringBuilder, StructArray, StructBuilder,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Fields, Schema};
use arrow::record_batch::RecordBatch;

use super::{Random, SampleError};

/// 2026-11-01T00:00:00Z.
const NOVEMBER: i64 = 1_793_491_200_000_000;
const DAY: i64 = 86_400_000_000;
const CUSTOMERS: u64 = 2_000;

const OS: [&str; 5] = ["iOS 17", "iOS 18", "Android 15", "Windows 11", "macOS 15"];
const BROWSER: [&str; 4] = ["Safari", "Chrome", "Firefox", "Edge"];
const PATHS: [&str; 6] = ["/", "/shoes", "/cart", "/account", "/search", "/help"];
const TAGS: [&str; 5] = ["new", "sale", "returning", "newsletter", "app"];
const FIRST: [&str; 8] = ["Ada", "Ben", "Chloé", "Dan", "Eva", "Filip", "Gül", "Håkon"];
const LAST: [&str; 7] = ["Acker", "Brandt", "Costa", "Dubois", "Eriksen", "Ferrari", "García"];
const CITIES: [&str; 5] = ["Berlin", "Lyon", "Porto", "Gent", "Oslo"];

fn email(customer: u64) -> String {
    format!("customer{customer}@example.com")
}

fn crm_id(customer: u64) -> String {
    format!("ACME-{customer:08}")
}

fn aaid(device: u64) -> String {
    let high = 0x2000_0000_0000_0001_u64.wrapping_add(device.wrapping_mul(0x1_0001_0003));
    let low = 0x1000_0000_0000_u64.wrapping_add(device.wrapping_mul(7919));
    format!("{high:X}-{low:X}")
}

fn ecid(device: u64) -> String {
    format!("{device:038}")
}

fn name(customer: u64) -> String {
    let first = usize::try_from(customer).unwrap_or(0) % FIRST.len();
    let last = usize::try_from(customer / 3).unwrap_or(0) % LAST.len();
    format!("{} {}", FIRST.get(first).unwrap_or(&""), LAST.get(last).unwrap_or(&""))
}

fn timestamps(values: Vec<i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(values).with_timezone("UTC"))
}

fn strings<S: AsRef<str>>(values: &[Option<S>]) -> ArrayRef {
    Arc::new(StringArray::from_iter(values.iter().map(|v| v.as_ref().map(AsRef::as_ref))))
}

fn batch(columns: Vec<(&str, ArrayRef, bool)>) -> Result<RecordBatch, SampleError> {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array, nullable)| Field::new(*name, array.data_type().clone(), *nullable))
        .collect();
    let arrays = columns.into_iter().map(|(_, array, _)| array).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
        .map_err(|_| SampleError::Encode { path: PathBuf::from("sample") })
}

/// One day of web events. A customer has one to three devices; every 20th device is shared by two.
pub(super) fn web_events(
    random: &mut Random,
    day: i64,
    rows: u64,
) -> Result<RecordBatch, SampleError> {
    let start = NOVEMBER + (day - 1) * DAY;
    let (mut hits, mut ts) = (Vec::new(), Vec::new());
    let (mut visitors, mut ecids, mut emails, mut crm) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut ips, mut urls, mut campaigns, mut os, mut browsers) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut lat, mut lon) = (Vec::new(), Vec::new());
    let mut tags = ListBuilder::new(StringBuilder::new());
    for row in 0..rows {
        let customer = random.below(CUSTOMERS);
        let own = customer * 3 + random.below(3);
        let device = if own.is_multiple_of(20) { own / 2 } else { own };
        let logged_in = random.chance(35);
        // One row in 200 is a replica of the row before it.
        let replica = row > 0 && random.chance(1) && random.chance(50);
        hits.push(Some(format!("h-{day:02}-{:06}", if replica { row - 1 } else { row })));
        let step = DAY / i64::try_from(rows).unwrap_or(1);
        ts.push(start + i64::try_from(row).unwrap_or(0) * step);
        visitors.push(Some(aaid(device)));
        ecids.push(random.chance(60).then(|| ecid(device)));
        emails.push(logged_in.then(|| email(customer)));
        crm.push((logged_in && random.chance(80)).then(|| crm_id(customer)));
        ips.push(Some(format!("203.0.113.{}", device % 250 + 1)));
        let path = random.pick(&PATHS);
        urls.push(Some(if logged_in && random.chance(20) {
            format!("https://shop.example{path}?user={customer}#top")
        } else {
            format!("https://shop.example{path}")
        }));
        campaigns.push(random.chance(30).then(|| format!("c{}", random.below(12))));
        os.push(Some(random.pick(&OS)));
        browsers.push(Some(random.pick(&BROWSER)));
        let place = i32::try_from(device % 1_000).unwrap_or(0);
        lat.push(random.chance(50).then(|| f64::from(place).mul_add(0.007_31, 48.0)));
        lon.push(lat.last().copied().flatten().map(|_| f64::from(place).mul_add(0.011_07, 2.0)));
        for _ in 0..random.below(3) {
            tags.values().append_value(random.pick(&TAGS));
        }
        tags.append(true);
    }
    let text = |name: &str| Arc::new(Field::new(name, DataType::Utf8, true));
    let device =
        StructArray::from(vec![(text("os"), strings(&os)), (text("browser"), strings(&browsers))]);
    let device_field = Arc::new(Field::new("device", device.data_type().clone(), true));
    let props = StructArray::from(vec![
        (text("campaign"), strings(&campaigns)),
        (device_field, Arc::new(device) as ArrayRef),
    ]);
    let number = |name: &str| Arc::new(Field::new(name, DataType::Float64, true));
    let geo = StructArray::from(vec![
        (number("lat"), Arc::new(Float64Array::from(lat)) as ArrayRef),
        (number("lon"), Arc::new(Float64Array::from(lon)) as ArrayRef),
    ]);
    batch(vec![
        ("hit_id", strings(&hits), false),
        ("ts", timestamps(ts), false),
        ("visitor_id", strings(&visitors), true),
        ("ecid", strings(&ecids), true),
        ("email", strings(&emails), true),
        ("crm_id", strings(&crm), true),
        ("ip", strings(&ips), true),
        ("page_url", strings(&urls), true),
        ("geo", Arc::new(geo), true),
        ("props", Arc::new(props), true),
        ("tags", Arc::new(tags.finish()), true),
    ])
}

/// The customer master.
pub(super) fn customers(rows: u64) -> Result<RecordBatch, SampleError> {
    let all: Vec<u64> = (0..rows).collect();
    let number = |n: u64| i64::try_from(n).unwrap_or(0);
    let phones: Vec<_> =
        all.iter().map(|n| (n % 3 != 0).then(|| format!("+49 30 555{n:05}"))).collect();
    let births = all.iter().map(|n| i32::try_from(n * 11 % 15_000).ok());
    batch(vec![
        (
            "customer_id",
            Arc::new(Int64Array::from_iter_values(all.iter().map(|n| number(*n) + 10_000))),
            false,
        ),
        ("crm_id", strings(&all.iter().map(|n| Some(crm_id(*n))).collect::<Vec<_>>()), true),
        ("email", strings(&all.iter().map(|n| Some(email(*n))).collect::<Vec<_>>()), true),
        ("name", strings(&all.iter().map(|n| Some(name(*n))).collect::<Vec<_>>()), true),
        ("phone", strings(&phones), true),
        ("birth_date", Arc::new(Date32Array::from_iter(births)), true),
        (
            "created_at",
            timestamps(all.iter().map(|n| NOVEMBER - DAY * (number(*n) % 900)).collect()),
            false,
        ),
        (
            "newsletter",
            Arc::new(BooleanArray::from_iter(all.iter().map(|n| Some(n % 2 == 0)))),
            true,
        ),
    ])
}

/// Orders: about four a customer, each with one to three items.
pub(super) fn orders(
    random: &mut Random,
    part: u64,
    rows: u64,
) -> Result<RecordBatch, SampleError> {
    let item_fields = Fields::from(vec![
        Field::new("sku", DataType::Utf8, true),
        Field::new("quantity", DataType::Int32, true),
    ]);
    let mut items = ListBuilder::new(StructBuilder::new(
        item_fields,
        vec![Box::new(StringBuilder::new()), Box::new(Int32Builder::new())],
    ));
    let (mut ids, mut owners, mut times, mut totals) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut names, mut streets, mut cities) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..rows {
        let customer = random.below(CUSTOMERS);
        ids.push(i64::try_from(part * rows + row).unwrap_or(0) + 500_000);
        owners.push(i64::try_from(customer).unwrap_or(0) + 10_000);
        times.push(NOVEMBER - DAY * i64::try_from(random.below(400)).unwrap_or(0));
        totals.push(i128::from(random.below(50_000) + 500));
        names.push(Some(name(customer)));
        streets.push(Some(format!("Hauptstraße {}", customer % 180 + 1)));
        cities.push(Some(random.pick(&CITIES)));
        for _ in 0..=random.below(3) {
            let entry = items.values();
            if let Some(sku) = entry.field_builder::<StringBuilder>(0) {
                sku.append_value(format!("SKU-{:04}", random.below(500)));
            }
            if let Some(quantity) = entry.field_builder::<Int32Builder>(1) {
                quantity.append_value(i32::try_from(random.below(4)).unwrap_or(0) + 1);
            }
            entry.append(true);
        }
        items.append(true);
    }
    let text = |name: &str| Arc::new(Field::new(name, DataType::Utf8, true));
    let ship_to = StructArray::from(vec![
        (text("name"), strings(&names)),
        (text("street"), strings(&streets)),
        (text("city"), strings(&cities)),
    ]);
    let totals = Decimal128Array::from(totals)
        .with_precision_and_scale(12, 2)
        .map_err(|_| SampleError::Encode { path: PathBuf::from("orders") })?;
    batch(vec![
        ("order_id", Arc::new(Int64Array::from(ids)), false),
        ("customer_id", Arc::new(Int64Array::from(owners)), false),
        ("ordered_at", timestamps(times), false),
        ("total", Arc::new(totals), true),
        ("ship_to", Arc::new(ship_to), true),
        ("items", Arc::new(items.finish()), true),
    ])
}

/// The test dataset.
pub(super) fn qa_web_events(random: &mut Random, rows: u64) -> Result<RecordBatch, SampleError> {
    let testers: Vec<u64> = (0..rows).map(|_| random.below(50)).collect();
    let times =
        (0..rows).map(|row| NOVEMBER + i64::try_from(row).unwrap_or(0) * 1_000_000).collect();
    let emails: Vec<_> =
        testers.iter().map(|t| Some(format!("tester{t}@qa.example.com"))).collect();
    let crm: Vec<_> = testers.iter().map(|t| Some(crm_id(90_000_000 + t))).collect();
    let urls: Vec<_> =
        testers.iter().map(|t| Some(format!("https://qa.shop.example/cart?user={t}"))).collect();
    batch(vec![
        ("ts", timestamps(times), false),
        ("email", strings(&emails), true),
        ("crm_id", strings(&crm), true),
        ("page_url", strings(&urls), true),
    ])
}
