//! The 16 fields, byte by byte.

use splitstore_domain::{Epoch, TipsetKey};
use splitstore_filecoin::{BlockHeader, FilecoinChain, HeaderError, HeaderFault, Kind};
use splitstore_ports::{ChainAccessor, ErrorKind};

use crate::draft::{Draft, FIELDS, array, bytes, cid_of, item, link, uint};
use crate::store::Store;

const NULL: u8 = 0xf6;

fn draft() -> Draft {
    Draft::new("t", 7, &[cid_of(b"one"), cid_of(b"two")])
}

fn refusal(draft: &Draft) -> HeaderError {
    BlockHeader::decode(&draft.encode()).unwrap_err()
}

#[test]
fn every_field_that_is_kept_is_read_from_its_place() {
    let header = BlockHeader::decode(&draft().encode()).unwrap();
    assert_eq!(header.ticket.as_deref(), Some(&b"t"[..]));
    assert_eq!(header.parents, TipsetKey::new(vec![cid_of(b"one"), cid_of(b"two")]));
    assert_eq!(header.parent_weight.as_be_bytes(), [1]);
    assert_eq!(header.height, Epoch::new(7));
    assert_eq!(header.state, cid_of(b"state"));
    assert_eq!(header.receipts, cid_of(b"receipts"));
    assert_eq!(header.messages, cid_of(b"messages"));
    assert_eq!(header.timestamp, 1_600_000_210);
}

#[test]
fn the_view_has_the_six_facts_of_the_header() {
    let header = BlockHeader::decode(&draft().encode()).unwrap();
    let view = header.view();
    assert_eq!((view.height, view.timestamp), (header.height, header.timestamp));
    assert_eq!((view.messages, view.receipts, view.state), (header.messages, header.receipts, header.state));
    assert_eq!(view.parents, header.parents);
}

#[test]
fn what_genesis_names_as_its_parent_is_told_but_not_built_on() {
    let header = BlockHeader::decode(&Draft::new("g", 0, &[cid_of(b"quote")]).encode()).unwrap();
    assert!(header.built_on().is_empty());
    assert_eq!(header.view().parents.cids(), [cid_of(b"quote")]);
}

#[test]
fn ticket_proof_and_signatures_may_be_null() {
    let mut draft = draft();
    for field in ["ticket", "election proof", "bls aggregate", "block signature"] {
        draft = draft.with(field, vec![NULL]);
    }
    assert_eq!(BlockHeader::decode(&draft.encode()).unwrap().ticket, None);
}

#[test]
fn null_in_any_other_field_is_an_error_that_names_it() {
    for (index, field) in FIELDS.into_iter().enumerate() {
        if ["ticket", "election proof", "bls aggregate", "block signature"].contains(&field) {
            continue;
        }
        let draft = draft().with(field, vec![NULL]);
        let error = refusal(&draft);
        assert_eq!((error.field, error.offset), (field, draft.offset_of(index)));
        assert!(matches!(error.fault, HeaderFault::WrongType { found: Kind::Simple, .. }), "{error}");
    }
}

#[test]
fn a_text_in_any_field_is_an_error_that_names_field_offset_and_types() {
    for (index, field) in FIELDS.into_iter().enumerate() {
        let draft = draft().with(field, [item(3, 2), b"hi".to_vec()].concat());
        let error = refusal(&draft);
        assert_eq!((error.field, error.offset), (field, draft.offset_of(index)));
        assert!(matches!(error.fault, HeaderFault::WrongType { found: Kind::Text, .. }), "{error}");
    }
    let error = refusal(&draft().with("miner", uint(1)));
    assert_eq!(
        error.to_string(),
        "malformed block header at byte 1, field `miner`: expected byte string, found unsigned integer"
    );
}

#[test]
fn each_truncation_is_an_error_within_what_is_left() {
    let whole = draft().encode();
    for cut in 0..whole.len() {
        let error = BlockHeader::decode(&whole[..cut]).unwrap_err();
        assert_eq!(error.fault, HeaderFault::Truncated, "cut at {cut}");
        assert!(error.offset <= cut, "cut at {cut}: {error}");
    }
}

#[test]
fn a_truncation_names_the_field_that_is_cut() {
    let draft = draft();
    let whole = draft.encode();
    for (index, field) in FIELDS.into_iter().enumerate() {
        let start = draft.offset_of(index);
        let error = BlockHeader::decode(&whole[..start]).unwrap_err();
        assert_eq!(error, HeaderError { field, offset: start, fault: HeaderFault::Truncated });
    }
}

#[test]
fn another_number_of_fields_is_no_header() {
    for fields in [0, 15, 17] {
        let mut draft = draft();
        draft.fields.resize(fields, uint(0));
        let fault = HeaderFault::WrongLength { expected: 16, found: fields as u64 };
        assert_eq!(refusal(&draft), HeaderError { field: "header", offset: 0, fault });
    }
}

#[test]
fn bytes_after_the_header_are_an_error() {
    let mut data = draft().encode();
    data.push(0);
    let error = BlockHeader::decode(&data).unwrap_err();
    let offset = data.len() - 1;
    assert_eq!(error, HeaderError { field: "header", offset, fault: HeaderFault::Trailing });
}

#[test]
fn an_argument_that_is_not_in_its_shortest_form_is_an_error() {
    let long_seven: [&[u8]; 4] =
        [&[0x18, 7], &[0x19, 0, 7], &[0x1a, 0, 0, 0, 7], &[0x1b, 0, 0, 0, 0, 0, 0, 0, 7]];
    for encoding in long_seven {
        let error = refusal(&draft().with("height", encoding.to_vec()));
        assert_eq!((error.field, error.fault), ("height", HeaderFault::NotShortest));
    }
}

#[test]
fn indefinite_lengths_and_reserved_headers_are_errors() {
    for (field, encoding) in [("miner", 0x5f), ("parents", 0x9f), ("height", 0x1c), ("timestamp", 0x1e)] {
        let error = refusal(&draft().with(field, vec![encoding, 0xff]));
        assert_eq!((error.field, error.fault), (field, HeaderFault::BadItem));
    }
}

#[test]
fn a_negative_height_is_an_error() {
    let error = refusal(&draft().with("height", item(1, 6)));
    let fault = HeaderFault::WrongType { expected: Kind::Unsigned, found: Kind::Negative };
    assert_eq!((error.field, error.fault), ("height", fault));
}

#[test]
fn a_negative_win_count_is_read_as_nodes_do() {
    let draft = draft().with("election proof", [array(2), item(1, 0), bytes(b"")].concat());
    assert!(BlockHeader::decode(&draft.encode()).is_ok());
}

#[test]
fn a_link_must_be_tag_42_around_a_binary_cid() {
    let cid = cid_of(b"state").to_bytes();
    let bad = [
        [item(6, 43), bytes(&[vec![0], cid.clone()].concat())].concat(),
        [item(6, 42), bytes(&cid)].concat(),
        [item(6, 42), bytes(&[0])].concat(),
        [item(6, 42), bytes(&[vec![0], cid[..cid.len() - 1].to_vec()].concat())].concat(),
        [item(6, 42), bytes(&[vec![0], cid, vec![0]].concat())].concat(),
    ];
    for encoding in bad {
        let error = refusal(&draft().with("parent state root", encoding));
        assert_eq!((error.field, error.fault), ("parent state root", HeaderFault::BadCid));
    }
}

#[test]
fn a_list_that_claims_more_than_any_node_takes_is_refused_before_it_is_read() {
    let error = refusal(&draft().with("parents", array(u64::MAX)));
    let fault = HeaderFault::WrongLength { expected: 8192, found: u64::MAX };
    assert_eq!((error.field, error.fault), ("parents", fault));
}

#[test]
fn a_byte_string_that_claims_more_than_there_is_is_truncated() {
    let error = refusal(&draft().with("parent base fee", item(2, u64::MAX)));
    assert_eq!((error.field, error.fault), ("parent base fee", HeaderFault::Truncated));
}

#[test]
fn a_weight_below_zero_or_beyond_128_bytes_is_an_error() {
    let too_long = [vec![0], vec![0xff; 128]].concat();
    for wire in [&[1, 5][..], &[2, 5], &too_long] {
        let error = refusal(&draft().with("parent weight", bytes(wire)));
        assert_eq!((error.field, error.fault), ("parent weight", HeaderFault::BadWeight));
    }
}

#[test]
fn whatever_byte_is_changed_a_header_reads_or_is_refused_within_its_length() {
    let whole = draft().encode();
    for at in 0..whole.len() {
        for byte in 0..=255 {
            let mut data = whole.clone();
            data[at] = byte;
            if let Err(error) = BlockHeader::decode(&data) {
                assert!(error.offset <= data.len());
            }
        }
    }
}

#[test]
fn the_port_reads_headers_and_names_the_cid_of_a_bad_one() {
    let chain = FilecoinChain::new(std::sync::Arc::new(Store::default()));
    let (cid, data) = (draft().cid(), draft().encode());
    assert_eq!(chain.header(&cid, &data).unwrap(), BlockHeader::decode(&data).unwrap().view());
    let error = chain.header(&cid, &link(&cid)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.attempt().contains(&cid.to_string()), "{error}");
}
