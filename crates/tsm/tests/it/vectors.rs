//! Golden vectors: what `InfluxDB`'s own encoders wrote.

use serde_json::Value;
use tsm::encoding::{booleans, floats, integers, strings, timestamps};
use tsm::{Encoding, Family, Fault, Nans, Refusal, Stats, StatsMode, Strings, TsmWriter, WriterOptions};

use crate::data;
use crate::sample;

const FAMILIES: [(Family, &str); 2] =
    [(Family::Snapshot, "snapshot_encoder"), (Family::Compaction, "compaction_encoder")];

fn numbers<N: std::str::FromStr<Err: std::fmt::Debug>>(vector: &Value) -> Vec<N> {
    let values = vector["values"].as_array().unwrap();
    values.iter().map(|value| value.as_str().unwrap().parse().unwrap()).collect()
}

/// Holds an encoder and a decoder against each vector of a kind, in both families.
fn check<V: PartialEq + std::fmt::Debug>(
    kind: &str,
    values: impl Fn(&Value) -> Vec<V>,
    encode: impl Fn(&[V], Family) -> Vec<u8>,
    decode: impl Fn(&[u8], usize) -> Result<Vec<V>, Fault>,
) {
    let Some(vectors) = data::vectors(kind) else { return };
    for vector in vectors {
        let values = values(&vector);
        for (family, field) in FAMILIES {
            let golden = data::hex(&vector[field]);
            assert_eq!(encode(&values, family), golden, "{} {field}", vector["name"]);
            assert_eq!(decode(&golden, values.len()).as_ref(), Ok(&values), "{} {field}", vector["name"]);
        }
    }
}

#[test]
fn timestamps_are_those_of_influxdb() {
    let encode = |values: &[i64], family| {
        let mut out = Vec::new();
        timestamps::encode(values, family, &mut Vec::new(), &mut out);
        out
    };
    let decode = |section: &[u8], len| {
        assert_eq!(timestamps::count(section), Ok(len as u64));
        let mut out = Vec::new();
        timestamps::decode(section, len, &mut out).map(|()| out)
    };
    check("timestamps", numbers, encode, decode);
}

fn check_integers<I: integers::Integer + PartialEq + std::fmt::Debug>(
    kind: &str,
    values: impl Fn(&Value) -> Vec<I>,
) {
    let encode = |values: &[I], family| {
        let mut out = Vec::new();
        integers::encode(values, family, &mut Vec::new(), &mut out);
        out
    };
    let decode = |section: &[u8], len| {
        assert_eq!(integers::count(section), Ok(len as u64));
        let mut out = Vec::new();
        integers::decode(section, len, &mut out).map(|()| out)
    };
    check(kind, values, encode, decode);
}

#[test]
fn integers_are_those_of_influxdb() {
    check_integers::<i64>("int", numbers);
    check_integers::<u64>("unsigned", numbers);
}

#[test]
fn booleans_are_those_of_influxdb() {
    let values = |vector: &Value| {
        let values = vector["values"].as_array().unwrap();
        values.iter().map(|value| value.as_bool().unwrap()).collect()
    };
    let encode = |values: &[bool], family| {
        let mut out = Vec::new();
        booleans::encode(values, family, &mut out);
        out
    };
    let decode = |section: &[u8], len| {
        let mut out = Vec::new();
        booleans::decode(section, len, &mut out).map(|()| out)
    };
    check("bool", values, encode, decode);
}

#[test]
fn floats_are_those_of_influxdb_but_for_infinities_that_its_batch_encoder_takes_for_a_nan() {
    let Some(vectors) = data::vectors("float") else { return };
    for vector in vectors {
        let bits = vector["bits"].as_array().unwrap().iter();
        let bits = bits.map(|bits| u64::from_str_radix(bits.as_str().unwrap(), 16).unwrap());
        let values: Vec<f64> = bits.map(f64::from_bits).collect();
        let mut out = Vec::new();
        let outcome = floats::encode(&values, Nans::Refuse, &mut out);
        let snapshot = vector["snapshot_encoder"].as_str().unwrap();
        if snapshot.starts_with("ERROR") {
            assert!(matches!(outcome, Err(Refusal::Nan { .. })) && out.is_empty(), "{}", vector["name"]);
            continue;
        }
        assert_eq!(outcome, Ok(()));
        assert_eq!(out, data::hex(&vector["snapshot_encoder"]), "{}", vector["name"]);
        let batch = vector["compaction_encoder"].as_str().unwrap();
        assert!(batch == snapshot || (batch.starts_with("ERROR") && values.contains(&f64::NEG_INFINITY)));
        let mut back = Vec::new();
        floats::decode(&out, values.len(), &mut back).unwrap();
        assert!(back.iter().map(|v| v.to_bits()).eq(values.iter().map(|v| v.to_bits())));
    }
}

#[test]
fn strings_of_influxdb_are_read_and_ours_hold_the_same() {
    let Some(vectors) = data::vectors("string") else { return };
    for vector in vectors {
        let values = vector["values"].as_array().unwrap();
        let values: Strings = values.iter().map(|value| value.as_str().unwrap()).collect();
        let mut ours = Vec::new();
        strings::StringEncoder::default().encode(values.slice(0..values.len()), &mut ours).unwrap();
        for section in FAMILIES.map(|(_, field)| data::hex(&vector[field])).iter().chain([&ours]) {
            let mut back = Strings::default();
            strings::StringDecoder::default().decode(section, values.len(), 1000, &mut back).unwrap();
            assert_eq!(back, values, "{}", vector["name"]);
        }
    }
}

#[test]
fn the_golden_file_is_read_and_written_byte_for_byte() {
    let Some(bytes) = data::file_vector("tsm_file") else { return };
    let content = sample::content(&data::open("golden.tsm", bytes.clone()));
    let points = |key: &str| content[key.as_bytes()].iter().map(tsm::Column::len).collect::<Vec<_>>();
    assert_eq!(
        (content.len(), points("cpu,host=A#!~#value"), points("mem,host=A#!~#used")),
        (2, vec![2, 2], vec![3])
    );
    assert_eq!(sample::file(&content), bytes);
}

#[test]
fn size_and_statistics_of_the_golden_file_are_those_of_influxdb() {
    let Some(vectors) = data::vectors("tsm_file") else { return };
    let content = sample::content(&data::open("golden.tsm", data::hex(&vectors[0]["hex"])));
    let options = WriterOptions { stats: StatsMode::Keep, ..WriterOptions::default() };
    let mut writer = TsmWriter::new(Vec::new(), "golden.tsm", options);
    let mut encoder = tsm::Encoder::new(Encoding::COMPACTION);
    for (key, block) in content.iter().flat_map(|(key, blocks)| blocks.iter().map(move |block| (key, block)))
    {
        let _ = writer.write_points(key, block.points(), &mut encoder).unwrap();
    }
    let (footer, kinds) = (8, content.len() as u64);
    assert_eq!(Some(writer.size() - footer - kinds), vectors[0]["writer_size_before_index"].as_u64());
    let stats = writer.finish().unwrap().unwrap().stats.unwrap();
    let golden = data::file_vector("tss_file").unwrap();
    assert_eq!(stats.encode(), golden);
    assert_eq!(Stats::decode(&golden), Ok(stats));
}
