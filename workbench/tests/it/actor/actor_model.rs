//! The commands of the workbench expand to exactly what the published `Store` issues: real actors run over a manager
//! that writes down every call, and the model must predict each of them.

use ave_actors_actor::EncryptedKey;
use ave_workbench::actor::{ActorLog, Command, PersistenceRules};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::support::account::{
    Compacting, CompactingByHand, Database, Full, FullByHand, FullEachTime, Life, Light, LightCompacting, Rules, Step,
    System, model_rules,
};
use crate::support::recording::{Recorder, lines};

const PREFIX: &str = "account-1";

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        10 => (0usize..400).prop_map(Step::Persist),
        2 => Just(Step::Snapshot),
        3 => Just(Step::CrashAndRecover),
        3 => (0u64..30, 0u64..12).prop_map(|(from, length)| Step::Events { from, length }),
        2 => Just(Step::LastEvent),
        1 => Just(Step::Purge),
    ];
    prop::collection::vec(step, 1..60)
}

/// What the model says is called.
fn predicted<R: Rules>(log: &mut ActorLog, rules: PersistenceRules, command: Command) -> Vec<String> {
    let mut ops = Vec::new();
    log.expand(rules, command, &mut ops);
    ops.iter().flat_map(|op| lines(op, R::NAME, PREFIX)).collect()
}

async fn live<R: Rules>(steps: &[Step], key: Option<&EncryptedKey>) -> Result<(), TestCaseError> {
    let (recorder, rules) = (Recorder::default(), model_rules::<R>(key.is_some()));
    let mut log = ActorLog::default();
    let system = System::new(&Database::Written(recorder.clone()), key).await;
    let mut life = Life::<R>::first(&system, PREFIX).await;
    let state_bytes = life.state_bytes().await;
    prop_assert_eq!(
        recorder.take(),
        predicted::<R>(&mut log, rules, Command::Recover { state_bytes }),
        "the first start"
    );
    for (place, step) in steps.iter().enumerate() {
        let command = life.perform(step).await;
        prop_assert_eq!(recorder.take(), predicted::<R>(&mut log, rules, command), "step {}: {:?}", place, step);
    }
    Ok(())
}

fn every_life_is_predicted<R: Rules>(key: Option<&EncryptedKey>) {
    // Encryption changes lengths and nothing else, and is slow in an unoptimised build.
    let cases = if key.is_some() { 12 } else { 48 };
    // Dropping the runtime drops the actors as a crash does: none of them is stopped.
    let run = |steps: Vec<Step>| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live::<R>(&steps, key))
    };
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config).run(&steps(), run).unwrap();
}

#[test]
fn light_actors_issue_what_the_model_says() {
    every_life_is_predicted::<Light>(None);
    every_life_is_predicted::<LightCompacting>(None);
}

#[test]
fn full_actors_issue_what_the_model_says() {
    every_life_is_predicted::<Full>(None);
    every_life_is_predicted::<FullEachTime>(None);
    every_life_is_predicted::<FullByHand>(None);
}

#[test]
fn compacting_actors_issue_what_the_model_says() {
    every_life_is_predicted::<Compacting>(None);
    every_life_is_predicted::<CompactingByHand>(None);
}

#[test]
fn encrypted_actors_issue_what_the_model_says() {
    let key = EncryptedKey::new(&[7; 32]).unwrap();
    every_life_is_predicted::<Light>(Some(&key));
    every_life_is_predicted::<Full>(Some(&key));
    every_life_is_predicted::<Compacting>(Some(&key));
}
