//! Close in any phase: one step at most is waited for, and that one only for as long as was told.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use splitstore_domain::{ColdPolicy, Phase};
use splitstore_orchestrator::{Error, SplitStore, Trigger};
use splitstore_ports::cid::Cid;
use splitstore_ports::{BlockRead, BlockWriteExt, Event, Observer};

use crate::rig::{Rig, chain_at, generated, raw_block};

/// Holds the step in which a phase begins until it is let go; knows the last phase that began.
struct SlowStep {
    phase: Phase,
    held: Mutex<Sender<()>>,
    go: Mutex<Receiver<()>>,
    last: Mutex<Phase>,
}

impl Observer for SlowStep {
    fn on_event(&self, event: &Event) {
        if let Event::PhaseStarted(phase) = event {
            *self.last.lock().unwrap() = *phase;
            if *phase == self.phase {
                self.held.lock().unwrap().send(()).unwrap();
                let _ = self.go.lock().unwrap().recv();
            }
        }
    }
}

#[test]
fn close_in_any_phase_waits_for_one_step_at_most_and_no_longer_than_it_may() {
    for phase in Phase::RUN {
        let (blocks, head, _) = generated(24, 91);
        let mut rig = Rig::new(2, ColdPolicy::Universal);
        rig.close_within = Duration::ZERO;
        rig.load(&blocks, &head);
        let ((held, is_held), (go, gone)) = (channel(), channel());
        let slow = Arc::new(SlowStep {
            phase,
            held: Mutex::new(held),
            go: Mutex::new(gone),
            last: Mutex::new(Phase::Idle),
        });
        let store = rig.open_with(Trigger::Manual, slow.clone()).unwrap();
        store.start(chain_at(&store, &head)).unwrap();
        let fresh = raw_block(b"acknowledged, in no sync yet");
        std::thread::scope(|scope| {
            // Whatever fails here lets the run go.
            let go = go;
            let running = scope.spawn(|| store.compact());
            is_held.recv().unwrap();
            store.put(&fresh.0, &fresh.1).unwrap();
            let closed = store.close();
            assert!(matches!(closed, Err(Error::StillRunning(_))), "the step of {phase} goes on: {closed:?}");
            if phase == Phase::Prepare {
                rig.hot.inner().crash();
                assert!(store.has(&fresh.0).unwrap(), "it is durable although the run goes on");
            }
            go.send(()).unwrap();
            match running.join().unwrap() {
                Ok(_) => assert_eq!(phase, Phase::Commit, "commit is short, and ends"),
                Err(Error::Stopped(stopped)) => assert_eq!(stopped, phase.max(*slow.last.lock().unwrap())),
                Err(error) => panic!("stopped in {phase}: {error}"),
            }
        });
        let next = if phase == Phase::Prepare { Phase::Mark } else { phase };
        assert_eq!(*slow.last.lock().unwrap(), next, "it took no other step");
        store.close().unwrap();
        assert!(matches!(store.compact(), Err(Error::Stopped(_))), "none starts afterwards");
    }
}

/// Nobody breaks off a protector: everything but the run goes on beside one that does not return.
#[test]
fn beside_a_protector_that_does_not_return_the_store_serves_and_closes() {
    for ends in [SplitStore::cancel, SplitStore::pause] {
        let (blocks, head, _) = generated(24, 91);
        let mut rig = Rig::new(2, ColdPolicy::Universal);
        rig.close_within = Duration::ZERO;
        rig.load(&blocks, &head);
        let (store, _chain) = rig.open().unwrap();
        let ((held, is_held), (go, gone)) = (channel(), channel::<()>());
        let (held, gone) = (Mutex::new(held), Mutex::new(gone));
        store.add_protector(Arc::new(move |_: &mut dyn FnMut(&Cid)| {
            held.lock().unwrap().send(()).unwrap();
            let _ = gone.lock().unwrap().recv();
            Ok(())
        }));
        let fresh = raw_block(b"acknowledged beside a protector");
        std::thread::scope(|scope| {
            let go = go;
            let running = scope.spawn(|| store.compact());
            is_held.recv().unwrap();
            ends(&store);
            store.put(&fresh.0, &fresh.1).unwrap();
            assert!(store.has(&head[0]).unwrap() && store.has(&fresh.0).unwrap());
            let closed = store.close();
            assert!(matches!(closed, Err(Error::StillRunning(_))), "{closed:?}");
            rig.hot.inner().crash();
            assert!(store.has(&fresh.0).unwrap(), "it is durable although the run goes on");
            go.send(()).unwrap();
            assert!(matches!(running.join().unwrap(), Err(Error::Stopped(_))), "it marks nothing");
        });
        store.close().unwrap();
        assert!(rig.cold_keys().is_empty());
    }
}
