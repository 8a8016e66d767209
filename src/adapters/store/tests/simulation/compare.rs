//! Compares what a record answers, and what is on the disk, with what was acknowledged.

use super::*;

impl Life {
    /// Compares what is there with what was told.
    pub(super) fn verify(&mut self, run: &mut Run) {
        if self.is_harmed && !self.is_troubled {
            self.record(run);
        }
        let faults = self.disk.faults();
        self.disk.set_faults(Faults::default());
        let answered = self.ask(run);
        self.disk.set_faults(faults);
        if !self.disk.is_running() {
            return;
        }
        let (own, others) = answered.unwrap_or_else(|error| panic!("no answer: {error:?}"));
        self.compare(own);
        self.compare_peers(&others);
        self.is_compared = true;
        let kept = self.disk.read(&self.journal().with_extension("torn")).unwrap_or_default();
        for torn in &self.torn {
            assert!(kept.windows(torn.len()).any(|part| part == torn), "what was torn off is not kept");
        }
        if !self.is_harmed {
            let text = self.text();
            let bytes = self.disk.read(&self.journal()).unwrap_or_default();
            assert!(bytes.starts_with(text.as_bytes()), "the journal has not all that was told");
        }
    }

    /// Asks for every fact; those of other devices by device.
    fn ask(
        &mut self,
        run: &mut Run,
    ) -> Result<(Vec<JournalLine>, BTreeMap<String, Vec<JournalLine>>), StoreError> {
        let reader = run.store.reader();
        self.runtime.block_on(async {
            reader.fold_peers().await?;
            let mut lines = reader.lines(ALL()).await?;
            lines.extend(reader.lines(Query::Plan).await?);
            // What supersedes is found by both.
            lines.sort_by(|a, b| a.record.id.cmp(&b.record.id));
            lines.dedup();
            let mut others: BTreeMap<String, Vec<JournalLine>> = BTreeMap::new();
            let mut own = Vec::new();
            for line in lines {
                if *line.record.id.device == *run.store.device() {
                    own.push(line);
                } else {
                    others.entry(line.record.id.device.to_string()).or_default().push(line);
                }
            }
            for line in own.iter().rev().take(2) {
                assert_eq!(reader.fact(line.record.id.clone()).await?.as_ref(), Some(line));
                let Some(key) = line.record.fact.key() else { continue };
                assert_eq!(reader.lines(Query::Key(key.to_owned())).await?, std::slice::from_ref(line));
            }
            let health = reader.health().await?;
            assert_eq!(health.marks.get(run.store.device()).copied().unwrap_or(0), own.len() as u64);
            Ok((own, others))
        })
    }

    fn compare(&mut self, own: Vec<JournalLine>) {
        let mut own = own.into_iter();
        for (seq, (text, _)) in &self.told {
            let found = own.next().unwrap_or_else(|| panic!("fact {seq} is not there"));
            assert_eq!((found.record.id.seq, &*found.text), (*seq, &**text));
        }
        for line in own {
            let seq = line.record.id.seq;
            let place = self.untold.iter().position(|draft| {
                draft.fact == line.record.fact && draft.recorded_at == line.record.recorded_at
            });
            let place = place.unwrap_or_else(|| panic!("fact {seq} was never written: {}", line.text));
            let draft = self.untold.remove(place);
            self.tell(seq, &line.text, draft.token.0);
        }
    }

    fn compare_peers(&mut self, others: &BTreeMap<String, Vec<JournalLine>>) {
        let names: BTreeSet<&String> = self.peers.iter().map(|peer| &peer.device).collect();
        assert!(others.keys().all(|name| names.contains(name) || name.starts_with("desk-")));
        for peer in &mut self.peers {
            let text = others
                .get(&peer.device)
                .into_iter()
                .flatten()
                .map(|line| format!("{}\n", line.text))
                .collect::<Vec<_>>()
                .concat();
            assert!(peer.text.starts_with(&text), "{}: {text}is said, and not {}", peer.device, peer.text);
            let there = self.disk.read(&peer.path).unwrap_or_default();
            let same = there.iter().zip(peer.text.as_bytes()).take_while(|(a, b)| a == b).count();
            let whole = peer.text[..same].lines().count()
                - usize::from(!peer.text[..same].ends_with('\n') && same > 0);
            let told = text.lines().count();
            let known = if self.is_other_database { 0 } else { peer.told };
            assert!(told >= whole.max(known), "{}: {told} facts, {whole} there, {known} known", peer.device);
            peer.told = told;
        }
    }
}
