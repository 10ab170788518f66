-- Several reviewers: who is to look at what, decisions that settle a dispute, and who has seen others' decisions before deciding.

CREATE SEQUENCE review_assignment_ids;

CREATE TABLE adjudication (  -- reviews that count over all others of their sample and revision: made by somebody who saw these
    review_id BIGINT PRIMARY KEY, sample_id BIGINT NOT NULL);

CREATE TABLE reveal (  -- log; a reviewer asked to see what others decided before deciding: no independent decision comes after
    sample_id BIGINT NOT NULL, revision INTEGER NOT NULL, reviewer TEXT NOT NULL, created_at TIMESTAMPTZ DEFAULT now());

CREATE TABLE review_assignment (  -- a selection of samples handed out: each to `copies` of the reviewers
    assignment_id BIGINT PRIMARY KEY DEFAULT nextval('review_assignment_ids'), title TEXT NOT NULL, matching JSON NOT NULL,
    copies INTEGER NOT NULL, blind BOOLEAN NOT NULL, author TEXT NOT NULL, created_at TIMESTAMPTZ DEFAULT now());

CREATE TABLE review_assignment_event (  -- log; the latest of an assignment says who is on it
    event_id TEXT UNIQUE NOT NULL, assignment_id BIGINT NOT NULL, reviewers TEXT[] NOT NULL, dealt BIGINT NOT NULL, author TEXT NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now());

CREATE TABLE review_share (  -- who is to look at a sample; dealt anew when a reviewer joins or leaves, what is decided stays
    assignment_id BIGINT NOT NULL, sample_id BIGINT NOT NULL, reviewer TEXT NOT NULL);
