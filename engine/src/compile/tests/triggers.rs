//! Triggers and concurrency.

use super::agree;

#[test]
fn a_trigger_is_of_one_kind_and_says_when() {
    agree(&[
        (
            "{triggers: [{id: a}, {id: a, webhook: {}, schedule: {cron: '* * * *', timeZone: Mars/Base, missed: {within: 1d}}}, {id: in, event: {type: x}}], steps: [{id: s, set: {x: 1}}]}",
            &[
                "NoKind triggers[0]",
                "DuplicateName triggers[1].id",
                "SeveralKinds triggers[1].schedule",
                "InvalidSchedule triggers[1].schedule.cron",
                "InvalidSchedule triggers[1].schedule.timeZone",
                "InvalidDuration triggers[1].schedule.missed.within -> 24h",
                "ReservedName triggers[2].id",
            ],
        ),
        (
            "{triggers: [{id: a, webhook: {auth: {}}}, {id: b, webhook: {auth: {hmac: {secretRef: {name: a, key: b}, encoding: rot13}}}}, {id: c, webhook: {auth: {bearer: {secretRef: {name: a, key: b}}, standard: {secretRef: {name: a, key: b}}}}}], steps: [{id: s, set: {x: 1}}]}",
            &[
                "InvalidValue triggers[0].webhook.auth",
                "InvalidValue triggers[1].webhook.auth.hmac.encoding",
                "InvalidValue triggers[2].webhook.auth",
            ],
        ),
    ]);
}

#[test]
fn a_trigger_maps_the_declared_inputs() {
    agree(&[
        (
            "{inputs: [{name: letter, type: string, required: true}, {name: count, type: integer}], triggers: [{id: a, webhook: {dedupeKey: $(trigger.body.id)}, inputs: {letter: $(trigger.body.text), count: null}}], steps: [{id: s, set: {x: 1}}]}",
            &[],
        ),
        (
            "{inputs: [{name: letter, type: string, required: true}, {name: count, type: integer}], triggers: [{id: a, webhook: {}, inputs: {lettre: x, count: many}}, {id: b, webhook: {}, inputs: {letter: $(inputs.count), count: $(trigger.type)}}], steps: [{id: s, set: {x: 1}}]}",
            &[
                "UnknownInput triggers[0].inputs.lettre -> letter",
                "InvalidInput triggers[0].inputs.count",
                "MissingInput triggers[0].inputs",
                "UnknownName triggers[1].inputs.letter",
                "InvalidInput triggers[1].inputs.count",
            ],
        ),
        (
            "{triggers: [{id: a, event: {type: x, match: event.data.id == vars.id && trigger.id == 'x'}, inputs: {}}, {id: b, webhook: {dedupeKey: $(trigger.bdoy.id)}}], variables: {id: 1}, steps: [{id: s, set: {x: 1}}]}",
            &[
                "UnknownName triggers[0].event.match",
                "UnknownName triggers[1].webhook.dedupeKey -> trigger.body",
            ],
        ),
    ]);
}

#[test]
fn runs_with_the_same_key_share_a_limit() {
    agree(&[
        (
            "{inputs: [{name: a, type: string, required: true}], concurrency: {key: \"$(inputs.a)-$(trigger.id)\", max: 2}, steps: [{id: s, set: {x: 1}}]}",
            &[],
        ),
        (
            "{concurrency: {key: \"$(steps.s.output)\", max: 0}, steps: [{id: s, set: {x: 1}}]}",
            &["LimitExceeded concurrency.max", "UnknownName concurrency.key"],
        ),
    ]);
}
