//! What several commands say of chains, windows and reports, as JSON.

use serde_json::{Value, json};
use splitstore::domain::{
    CompactionPlan, CompactionReport, PhaseReport, Settings, Tally, TierSizes, Tipset, TipsetKey, Window,
};

pub(crate) fn settings(settings: &Settings) -> Value {
    json!({
        "finality_epochs": settings.finality_epochs,
        "threshold_finalities": settings.threshold_finalities,
        "boundary_finalities": settings.boundary_finalities,
        "message_retention_finalities": settings.message_retention_finalities,
        "cold_policy": settings.cold_policy.name(),
    })
}

pub(crate) fn key(key: &TipsetKey) -> Value {
    key.cids().iter().map(ToString::to_string).collect()
}

pub(crate) fn tipset(tipset: &Tipset) -> Value {
    json!({
        "height": tipset.height.height(),
        "tipset": key(&tipset.key),
        "timestamp_seconds": tipset.timestamp,
    })
}

pub(crate) fn sizes(sizes: &TierSizes) -> Value {
    json!({ "hot_bytes": sizes.hot.map(|size| size.0), "cold_bytes": sizes.cold.map(|size| size.0) })
}

pub(crate) fn plan(plan: &CompactionPlan) -> Value {
    json!({
        "window": window(&plan.window),
        "cold_policy": plan.policy.name(),
        "keep": tally(&plan.keep),
        "copy": tally(&plan.copy),
        "transfer": tally(&plan.transfer),
        "drop": tally(&plan.drop),
        "missing": plan.missing,
        "missing_listed": plan.missing_listed.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

pub(crate) fn report(report: &CompactionReport) -> Value {
    json!({
        "index": report.index,
        "plan": plan(&report.plan),
        "phases": report.phases.iter().map(phase).collect::<Vec<_>>(),
        "spared": report.spared,
        "marked_by": report.marking.by.name(),
        "marking_fallbacks": report.marking.fallbacks.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "marks_on_disk": report.marking.marks_on_disk,
        "purge": report.purge.map(|purge| json!({ "way": purge.way.name(), "why": purge.why.to_string() })),
        "passed_over": report.shortfall.passed_over,
        "rewrite_given_up": report.shortfall.no_room.map(|no_room| no_room.to_string()),
        "before": sizes(&report.before),
        "after": sizes(&report.after),
        "seconds": report.duration().as_secs_f64(),
    })
}

fn window(window: &Window) -> Value {
    json!({
        "base": window.base.height(),
        "messages_from": window.messages_from.height(),
        "boundary": window.boundary.height(),
        "head": window.head.height(),
    })
}

fn tally(tally: &Tally) -> Value {
    json!({ "blocks": tally.blocks, "bytes": tally.bytes.0 })
}

fn phase(phase: &PhaseReport) -> Value {
    json!({
        "phase": phase.phase.name(),
        "objects": phase.objects,
        "bytes": phase.bytes.0,
        "seconds": phase.duration.as_secs_f64(),
    })
}
