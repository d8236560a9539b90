//! The workload of a trace's populations, with its chains as transactions.

use super::chains::{Chain, Chains};
use super::groups::Group;
use crate::workload::{Arrivals, Population, Step, Transaction, Workload};

/// The workload of these populations, one for each group, whose commands are those of the chains if there are any.
pub(super) fn workload_of(
    name: String,
    mut populations: Vec<Population>,
    arrivals: Arrivals,
    chains: Option<&Chains>,
    groups: &[Group],
) -> Workload {
    let Some(chains) = chains else { return Workload::of_populations(name, arrivals, populations) };
    let is_of_subjects = |group: &Group| group.type_names().all(|one| chains.is_of_subjects(one));
    let (mut subjects, mut shared) = (1, 0);
    for (population, group) in populations.iter().zip(groups) {
        let most = if is_of_subjects(group) { &mut subjects } else { &mut shared };
        *most = population.actors.count.max(*most);
    }
    // Each subject has an actor of its own; those that are shared are fewer.
    let subjects = subjects.max(shared + 1);
    for (population, _) in populations.iter_mut().zip(groups).filter(|(_, group)| is_of_subjects(group)) {
        population.actors.count = subjects;
    }
    let transactions = chains.kinds.iter().zip(1..).map(|(chain, number)| transaction(number, chain, groups)).collect();
    Workload::of_transactions(name, arrivals, populations, transactions).expect("each population has a part in a chain")
}

fn transaction(number: usize, chain: &Chain, groups: &[Group]) -> Transaction {
    let mut steps: Vec<Step> = Vec::new();
    for (type_name, kind) in &chain.commands {
        let group = groups.iter().find(|group| group.has(type_name)).expect("each type of a chain has a group");
        match steps.last_mut().filter(|step| step.population == group.name) {
            Some(step) => step.commands.push(*kind),
            None => steps.push(Step { population: group.name.clone(), commands: vec![*kind] }),
        }
    }
    Transaction { name: format!("chain{number}"), weight: chain.count as f64, steps }
}
