//! `tsm plan`: what compaction would do, and why it leaves the rest.

use std::fmt::Write;
use std::sync::Arc;

use anyhow::Result;
use segment_compaction::{Ask, Held, Level, NoObserver, Plan, Planner, Survey};
use serde_json::{Value, json};
use tsm::IndexSeal;
use tsm::layout::POINTS_PER_BLOCK;

use crate::args;
use crate::exit::{Outcome, causes};
use crate::folder::{Access, Folder, Opening};
use crate::output::Output;
use crate::paths::look_over;

/// Ends the reason of a generation that is no concern of a plan.
const ELSEWHERE: &str = "is for another plan";

pub(crate) fn run(plan: &args::Plan, output: Output) -> Result<Outcome> {
    let opening = Opening {
        access: Access::Look,
        points_per_block: POINTS_PER_BLOCK,
        rate: 0,
        seal: IndexSeal::Crc,
        observer: Arc::new(NoObserver),
    };
    let folder = Folder::open(&plan.folder, opening)?;
    look_over(&plan.folder, output)?;
    let idle = plan.idle.map_or_else(|| folder.idle(), Ok)?;
    let survey = folder.compactor.folder().survey(folder.compactor.format())?;
    let plans = plans(&folder.planner, &survey, plan, idle);
    let mut text = String::new();
    let damaged: Vec<_> = survey.damaged.iter().map(|(_, error)| causes(error)).collect();
    for said in &damaged {
        writeln!(text, "{said}")?;
    }
    for plan in &plans {
        // What one plan leaves to another is seen there.
        let lines = plan.to_string();
        lines
            .lines()
            .filter(|line| !line.ends_with(ELSEWHERE))
            .try_for_each(|line| writeln!(text, "{line}"))?;
    }
    writeln!(text, "{}", folder.planner.fully_compacted(&survey.listing))?;
    let done = folder.planner.fully_compacted(&survey.listing).to_string();
    let rows: Vec<Value> = plans.iter().map(as_json).collect();
    output.result(text, &json!({ "plans": rows, "fully_compacted": done, "damaged": damaged }))?;
    Ok(if damaged.is_empty() { Outcome::Done } else { Outcome::Wrong })
}

fn plans(planner: &Planner, survey: &Survey, plan: &args::Plan, idle: std::time::Duration) -> Vec<Plan> {
    let held: Held = survey.held();
    if plan.full {
        return vec![planner.plan(&survey.listing, &held, Ask::ForcedFull)];
    }
    let levels = [Level::ONE, Level::TWO, Level::THREE];
    let mut plans: Vec<Plan> =
        levels.map(|level| planner.plan(&survey.listing, &held, Ask::Level(level))).into();
    plans.push(planner.full_or_steps(&survey.listing, &held, idle));
    plans.push(planner.plan(&survey.listing, &held, Ask::Optimize { idle }));
    plans
}

fn as_json(plan: &Plan) -> Value {
    let groups: Vec<_> = plan
        .groups
        .iter()
        .map(|group| {
            json!({
                "segments": group.segments.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "bytes": group.bytes,
                "mode": group.mode.to_string(),
                "reason": group.reason.to_string(),
            })
        })
        .collect();
    let left: Vec<_> = plan
        .left
        .iter()
        .map(|left| json!({ "generation": left.generation.number(), "why": left.why.to_string() }))
        .collect();
    json!({ "ask": plan.ask.to_string(), "groups": groups, "left": left })
}
