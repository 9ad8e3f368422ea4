//! What must be there, by the acknowledgement log, the seed and the oracle alone; and the store's own audit.
//!
//! | what | when | read back and compared |
//! |---|---|---|
//! | the head | always | the one acknowledged last, or the one it was to move to |
//! | what the oracle finds live at the head | always | every block |
//! | everything acknowledged | universal | every block |
//! | messages and receipts of the whole chain | messages | every block |
//! | DAGs of the machine asked for in the last run | always | present and complete |
//! | other DAGs asked for in any run | always | complete, if present |
//!
//! After a power cut only what a returned flush covers counts as acknowledged.

use anyhow::{Context, Result, bail, ensure};
use splitstore::domain::{Audit, ColdPolicy, Epoch, Policy, Window};
use splitstore::folder::StoreFolder;
use splitstore::ports::cid::Cid;
use splitstore::ports::{BlockRead, Clock};
use splitstore::system::SystemClock;
use splitstore_fixtures::oracle;

use crate::{Acknowledged, Chain, Life, dag};

/// Findings that are told one by one.
const TOLD: usize = 20;
/// How long a run that open resumed may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// What was looked at, and what was missing.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// Blocks read and compared.
    pub blocks: u64,
    /// How many of them had to be live.
    pub live: u64,
    /// The number of the head's tipset.
    pub head: Option<u64>,
    /// Finished compactions.
    pub compactions: u64,
    /// How many blocks are missing or differ, and laws are broken.
    pub lost: u64,
    /// The first of these.
    pub findings: Vec<String>,
}

impl Verdict {
    fn find(&mut self, what: impl FnOnce() -> String) {
        self.lost += 1;
        if self.findings.len() < TOLD {
            self.findings.push(what());
        }
    }
}

/// Checks an open store that has no load.
pub fn check(folder: &StoreFolder, life: &Life, chain: &mut Chain, acked: &Acknowledged) -> Result<Verdict> {
    let mut judge = Judge { folder, verdict: Verdict::default() };
    let audit = audit(folder)?;
    audit.violations.iter().for_each(|violation| judge.verdict.find(|| format!("audit: {violation}")));
    judge.verdict.compactions = folder.store().info()?.compactions;
    judge.compactions(acked);
    judge.head(chain, acked)?;
    judge.live(life, chain)?;
    judge.kept(life, chain, acked)?;
    judge.machine(life, acked)?;
    Ok(judge.verdict)
}

/// Where an open store stands, unchecked.
pub(crate) fn glance(folder: &StoreFolder, chain: &mut Chain, acked: &Acknowledged) -> Result<Verdict> {
    let mut judge = Judge { folder, verdict: Verdict::default() };
    judge.head(chain, acked)?;
    Ok(judge.verdict)
}

/// The audit excludes runs; one that open has resumed may still be under way.
fn audit(folder: &StoreFolder) -> Result<Audit> {
    let clock = SystemClock::new();
    loop {
        folder.store().wait_idle();
        match folder.store().audit() {
            Err(splitstore::Error::Busy) if clock.elapsed() < PATIENCE => {
                std::thread::park_timeout(std::time::Duration::from_millis(2));
            }
            Err(splitstore::Error::Busy) => bail!("a run that was resumed is not over after {PATIENCE:?}"),
            audited => return audited.context("audit the store"),
        }
    }
}

struct Judge<'a> {
    folder: &'a StoreFolder,
    verdict: Verdict,
}

impl Judge<'_> {
    fn compactions(&mut self, acked: &Acknowledged) {
        let found = self.verdict.compactions;
        if found < acked.compactions {
            self.verdict.find(|| format!("compaction {} had finished, {found} is known", acked.compactions));
        }
    }

    fn head(&mut self, chain: &mut Chain, acked: &Acknowledged) -> Result<()> {
        let put = acked.put.map(|(tipset, _)| tipset);
        chain.tipset(put.max(acked.moving).unwrap_or_default())?;
        if let Some(lost) = self.folder.lost_head() {
            self.verdict.find(|| lost.to_string());
        }
        let Some(head) = self.folder.head()? else {
            if let Some(acked) = acked.head {
                self.verdict.find(|| format!("tipset {acked} was the head, there is none now"));
            }
            return Ok(());
        };
        let found = chain.find(head.key.cids());
        if found.is_none() || (found != acked.head && found != acked.moving) {
            let Acknowledged { head, moving, .. } = acked;
            self.verdict.find(|| format!("the head is {found:?}, it was {head:?} and to be {moving:?}"));
        }
        self.verdict.head = found;
        Ok(())
    }

    fn live(&mut self, life: &Life, chain: &mut Chain) -> Result<()> {
        let Some(number) = self.verdict.head else { return Ok(()) };
        let head = chain.tipset(number)?.clone();
        let policy = Policy::new(life.settings().windows)?;
        let window = Window::at(Epoch::new(head.height), Epoch::GENESIS, &policy);
        let wanted = oracle::expected_hot(chain.blocks(), &head.key, &window)?;
        self.verdict.live = wanted.len() as u64;
        self.read(wanted.iter(), chain, "live")?;
        if life.cold() == ColdPolicy::Messages {
            let old = oracle::expected_cold(chain.blocks(), &head.key, &window, ColdPolicy::Messages)?;
            self.read(old.iter(), chain, "an old message")?;
        }
        Ok(())
    }

    fn kept(&mut self, life: &Life, chain: &Chain, acked: &Acknowledged) -> Result<()> {
        let (ColdPolicy::Universal, Some((tipset, blocks))) = (life.cold(), acked.put) else { return Ok(()) };
        self.read(chain.put_before(tipset, blocks).iter(), chain, "acknowledged")
    }

    fn read<'c>(&mut self, cids: impl Iterator<Item = &'c Cid>, chain: &Chain, what: &str) -> Result<()> {
        for cid in cids {
            let expected = chain.blocks().get(cid).context("a block that the chain made")?;
            self.compare(cid, expected, what)?;
        }
        Ok(())
    }

    fn compare(&mut self, cid: &Cid, expected: &[u8], what: &str) -> Result<bool> {
        let mut same = false;
        let there = self.folder.store().view(cid, &mut |data| same = data == expected)?;
        self.verdict.blocks += 1;
        if !there || !same {
            let how = if there { "differs" } else { "is missing" };
            self.verdict.find(|| format!("block {cid} is {what} and {how}"));
        }
        Ok(there && same)
    }

    fn machine(&mut self, life: &Life, acked: &Acknowledged) -> Result<()> {
        for (&round, &run) in &acked.parents {
            let sure = !acked.loose.contains(&round);
            let owed = sure && run > 0 && round >= acked.fresh && self.verdict.compactions <= run;
            let blocks = dag::of_round(life.seed, round)?;
            ensure!(!blocks.is_empty(), "round {round} has no blocks");
            let parent = blocks.last().map(|(cid, _)| *cid);
            let due = owed || (sure && life.cold() == ColdPolicy::Universal);
            let promised = run > 0 && parent.is_some_and(|cid| self.folder.store().has(&cid).unwrap_or(true));
            if due || promised {
                let what = format!("of the machine's round {round}, asked in run {run}, {due}");
                for (cid, data) in &blocks {
                    self.compare(cid, data, &what)?;
                }
            }
        }
        Ok(())
    }
}
