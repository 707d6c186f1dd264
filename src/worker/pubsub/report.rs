//! What PUBSUB wants to know of the workers: their topics, each with how many clients listen and where.

use super::topic::Topic;
use crate::{cluster::NodeAddr, routing::ChannelKind, worker::Worker};

/// Which topics are meant.
#[derive(Clone, Debug)]
pub struct TopicQuery {
    /// Their kind.
    pub kind: ChannelKind,
    /// Their names; none means all.
    pub names: Option<Vec<Vec<u8>>>,
}

/// One topic of one worker.
#[derive(Clone, Debug)]
pub struct TopicReport {
    /// Its name.
    pub name: Vec<u8>,
    /// How many of the worker's clients listen.
    pub clients: usize,
    /// The nodes at which the worker is subscribed.
    pub nodes: Vec<NodeAddr>,
}

impl TopicReport {
    fn of(name: &[u8], topic: &Topic) -> Self {
        Self {
            name: name.to_vec(),
            clients: topic.subscribers.len(),
            nodes: topic.nodes().cloned().collect(),
        }
    }
}

impl Worker {
    /// What this worker has of what is asked for.
    pub(in crate::worker) fn report_topics(&self, query: &TopicQuery) -> Vec<TopicReport> {
        let topics = &self.subscriptions.topics.borrow()[query.kind as usize];
        match &query.names {
            None => topics.iter().map(|(name, topic)| TopicReport::of(name, topic)).collect(),
            Some(names) => {
                let known = names.iter().filter_map(|name| Some((name, topics.get(&name[..])?)));
                known.map(|(name, topic)| TopicReport::of(name, topic)).collect()
            }
        }
    }
}
