//! Commands expand to exactly the calls of the published `Store`: real actors run over a manager that logs every call, and
//! the model must predict each of them.

use ave_actors_actor::EncryptedKey;
use ave_workbench::actor::{ActorLog, Command, PersistenceRules};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::support::account::{
    ActorInstance, Compacting, CompactingByHand, Database, Full, FullByHand, FullEachTime, Light, LightCompacting,
    Rules, Step, System, model_rules,
};
use crate::support::recording::{CallLog, lines};

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

/// The calls that the model predicts.
fn predicted<R: Rules>(log: &mut ActorLog, rules: PersistenceRules, command: Command) -> Vec<String> {
    let mut ops = Vec::new();
    log.expand(rules, command, &mut ops);
    ops.iter().flat_map(|op| lines(op, R::NAME, PREFIX)).collect()
}

async fn live<R: Rules>(steps: &[Step], key: Option<&EncryptedKey>) -> Result<(), TestCaseError> {
    let (recorder, rules) = (CallLog::default(), model_rules::<R>(key.is_some()));
    let mut log = ActorLog::default();
    let system = System::new(&Database::CallLog(recorder.clone()), key).await;
    let mut life = ActorInstance::<R>::first(&system, PREFIX).await;
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

fn check_predictions<R: Rules>(key: Option<&EncryptedKey>) {
    // Encryption changes lengths and nothing else, and is slow in an unoptimised build.
    let cases = if key.is_some() { 12 } else { 48 };
    // Dropping the runtime drops the actors without a stop, like a crash.
    let run = |steps: Vec<Step>| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live::<R>(&steps, key))
    };
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config).run(&steps(), run).unwrap();
}

#[test]
fn calls_of_light_actors_are_predicted() {
    check_predictions::<Light>(None);
    check_predictions::<LightCompacting>(None);
}

#[test]
fn calls_of_full_actors_are_predicted() {
    check_predictions::<Full>(None);
    check_predictions::<FullEachTime>(None);
    check_predictions::<FullByHand>(None);
}

#[test]
fn calls_of_compacting_actors_are_predicted() {
    check_predictions::<Compacting>(None);
    check_predictions::<CompactingByHand>(None);
}

#[test]
fn calls_of_encrypted_actors_are_predicted() {
    let key = EncryptedKey::new(&[7; 32]).unwrap();
    check_predictions::<Light>(Some(&key));
    check_predictions::<Full>(Some(&key));
    check_predictions::<Compacting>(Some(&key));
}
