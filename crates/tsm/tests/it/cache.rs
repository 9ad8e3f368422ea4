//! The cache and its snapshots.

use std::sync::Arc;

use tsm::{
    BlockType, Cache, CacheError, Column, Decoder, Limits, SnapshotFile, SortedKeys, Strings, TimeRange,
    TsmReader, TsmWriter, Values, WriterOptions,
};

use crate::sample::column;

fn integers(points: &[(i64, i64)]) -> Column {
    let (times, values): (Vec<_>, Vec<_>) = points.iter().copied().unzip();
    column(&times, Values::Integer(values))
}

fn write(cache: &Cache, key: &str, points: &[(i64, i64)]) {
    cache.write(key.as_bytes(), integers(points).points()).unwrap();
}

fn read(cache: &Cache, key: &str) -> Vec<(i64, i64)> {
    let Some(column) = cache.read(key.as_bytes(), TimeRange::ALL) else { return Vec::new() };
    let Values::Integer(values) = column.values() else { panic!("not integers") };
    column.times().iter().copied().zip(values.iter().copied()).collect()
}

/// The files of one split.
fn files(mut split: SortedKeys, file_bytes_max: u64) -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    loop {
        let options = WriterOptions { file_bytes_max, ..WriterOptions::default() };
        let mut writer = TsmWriter::new(Vec::new(), "snapshot.tsm", options);
        let ended = split.write_to(&mut writer).unwrap();
        files.extend(writer.finish().unwrap().map(|finished| finished.sink));
        if ended == SnapshotFile::Done {
            return files;
        }
    }
}

/// Keys, and points of each in blocks.
fn content(file: Vec<u8>) -> Vec<(String, Vec<Column>)> {
    let reader = TsmReader::new(Arc::new(file), "snapshot.tsm", Limits::default()).unwrap();
    let (mut cursor, mut buffer, mut all) = (reader.cursor(), Vec::new(), Vec::new());
    while cursor.advance().unwrap() {
        let mut blocks = Vec::new();
        for entry in cursor.entries() {
            let block = reader.read_block(cursor.key(), cursor.kind().unwrap(), entry, &mut buffer).unwrap();
            let mut column = Column::empty(BlockType::Float);
            Decoder::default().decode(&block.parse().unwrap(), &mut column).unwrap();
            blocks.push(column);
        }
        all.push((String::from_utf8(cursor.key().to_vec()).unwrap(), blocks));
    }
    all
}

#[test]
fn points_come_back_sorted_and_the_last_write_of_a_time_wins() {
    let cache = Cache::new(1 << 20);
    write(&cache, "a", &[(5, 1), (3, 2)]);
    write(&cache, "a", &[(5, 3), (9, 4)]);
    write(&cache, "b", &[(1, 7)]);
    assert_eq!(read(&cache, "a"), [(3, 2), (5, 3), (9, 4)]);
    assert_eq!(cache.read(b"a", TimeRange::new(4, 8)).unwrap().times(), [5]);
    assert_eq!(read(&cache, "c"), []);
    assert_eq!(cache.keys(), 2);
}

#[test]
fn what_a_snapshot_holds_is_read_until_it_is_cleared_and_newer_writes_lie_above_it() {
    let cache = Cache::new(1 << 20);
    write(&cache, "a", &[(1, 1), (2, 1)]);
    let snapshot = cache.snapshot().unwrap();
    write(&cache, "a", &[(2, 2), (3, 2)]);
    assert_eq!(read(&cache, "a"), [(1, 1), (2, 2), (3, 2)]);
    assert!(matches!(cache.snapshot(), Err(CacheError::SnapshotUnderWay)));
    snapshot.clear();
    assert_eq!(read(&cache, "a"), [(2, 2), (3, 2)]);
}

#[test]
fn a_snapshot_that_fails_is_written_again_with_the_next_one() {
    let cache = Cache::new(1 << 20);
    write(&cache, "a", &[(1, 1), (2, 1)]);
    let before = cache.bytes();
    drop(cache.snapshot().unwrap());
    assert_eq!(cache.bytes(), before);
    let snapshot = cache.snapshot().unwrap();
    write(&cache, "a", &[(2, 2), (3, 2)]);
    drop(snapshot);
    assert_eq!(read(&cache, "a"), [(1, 1), (2, 2), (3, 2)]);
    let snapshot = cache.snapshot().unwrap();
    let split = snapshot.splits(1).remove(0);
    assert_eq!(
        content(files(split, 1 << 30).remove(0)),
        [("a".into(), vec![integers(&[(1, 1), (2, 2), (3, 2)])])]
    );
    snapshot.clear();
    assert_eq!((cache.bytes(), cache.keys()), (0, 0));
}

#[test]
fn splits_share_no_key_and_together_hold_all_in_blocks_of_a_thousand() {
    let cache = Cache::new(1 << 30);
    let many: Vec<(i64, i64)> = (0..2500).map(|n| (n, n)).collect();
    for key in 0..100 {
        write(&cache, &format!("key{key:03}"), if key == 42 { &many } else { &many[..3] });
    }
    let snapshot = cache.snapshot().unwrap();
    let splits = snapshot.splits(4);
    assert_eq!(splits.len(), 4);
    let mut all: Vec<_> =
        splits.into_iter().flat_map(|split| content(files(split, 1 << 30).remove(0))).collect();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert_eq!(
        all.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>(),
        (0..100).map(|key| format!("key{key:03}")).collect::<Vec<_>>()
    );
    assert_eq!(all[42].1.iter().map(Column::len).collect::<Vec<_>>(), [1000, 1000, 500]);
}

#[test]
fn a_full_file_is_followed_by_another_and_nothing_is_lost_between() {
    let cache = Cache::new(1 << 30);
    let many: Vec<(i64, i64)> = (0..5000).map(|n| (n, n * n)).collect();
    write(&cache, "a", &many);
    write(&cache, "b", &many[..10]);
    let snapshot = cache.snapshot().unwrap();
    let files = files(snapshot.splits(1).remove(0), 1000);
    assert!(files.len() > 2);
    let mut whole = Column::empty(BlockType::Integer);
    for (key, blocks) in files.into_iter().flat_map(content) {
        for block in blocks.iter().filter(|_| key == "a") {
            whole.extend_from(block, 0..block.len());
        }
    }
    assert_eq!(whole, integers(&many));
}

#[test]
fn a_delete_reaches_the_snapshot_too() {
    let cache = Cache::new(1 << 20);
    write(&cache, "a", &[(1, 1), (2, 1), (3, 1)]);
    write(&cache, "b", &[(1, 1)]);
    let snapshot = cache.snapshot().unwrap();
    write(&cache, "a", &[(4, 2)]);
    cache.delete(b"a", TimeRange::new(2, 4));
    cache.delete(b"b", TimeRange::ALL);
    assert_eq!(read(&cache, "a"), [(1, 1)]);
    let split = snapshot.splits(1).remove(0);
    assert_eq!(content(files(split, 1 << 30).remove(0)), [("a".into(), vec![integers(&[(1, 1)])])]);
}

#[test]
fn what_no_file_can_hold_is_refused_on_arrival_and_nothing_is_lost() {
    let cache = Cache::new(1000);
    write(&cache, "a", &[(1, 1)]);
    let refused = |key: &[u8], points: &Column| cache.write(key, points.points()).unwrap_err().to_string();
    let floats = |values: Vec<f64>| column(&vec![1; values.len()], Values::Float(values));
    assert!(refused(&vec![b'k'; 65_536], &integers(&[(1, 1)])).contains("65536 bytes"));
    assert!(refused(b"f", &floats(vec![0.0, f64::NAN])).contains("value 1 is a NaN"));
    assert!(refused(b"a", &floats(vec![1.0])).contains("type float under a key of type integer"));
    assert!(refused(b"e", &Column::empty(BlockType::Float)).contains("without points"));
    let large = column(&[1], Values::String(["x".repeat(2000)].into_iter().collect::<Strings>()));
    assert!(refused(b"s", &large).contains("the cache is full"));
    let snapshot = cache.snapshot().unwrap();
    assert!(refused(b"a", &floats(vec![1.0])).contains("type float under a key of type integer"));
    drop(snapshot);
    assert_eq!((read(&cache, "a"), cache.keys()), (vec![(1, 1)], 1));
    cache.write(b"f", floats(vec![f64::INFINITY, f64::NEG_INFINITY]).points()).unwrap();
}

#[test]
fn writers_beside_a_snapshot_lose_nothing() {
    let cache = Cache::new(1 << 30);
    let (keys, rounds) = (8_i64, 200_i64);
    let mut found = std::collections::BTreeMap::<String, usize>::new();
    std::thread::scope(|scope| {
        for key in 0..keys {
            let cache = &cache;
            scope.spawn(move || (0..rounds).for_each(|n| write(cache, &format!("k{key}"), &[(n, n)])));
        }
        for _ in 0..20 {
            let snapshot = cache.snapshot().unwrap();
            for file in snapshot.splits(2).into_iter().flat_map(|split| files(split, 1 << 30)) {
                for (key, blocks) in content(file) {
                    *found.entry(key).or_default() += blocks.iter().map(Column::len).sum::<usize>();
                }
            }
            snapshot.clear();
        }
    });
    for key in 0..keys {
        let key = format!("k{key}");
        let files = found.get(&key).copied().unwrap_or_default();
        assert_eq!(files + read(&cache, &key).len(), usize::try_from(rounds).unwrap(), "{key}");
    }
}
