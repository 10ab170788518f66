-- Who did what: of requests that change something, of logins, and of what was refused.

CREATE SEQUENCE audit_event_numbers;

CREATE TABLE audit_event (  -- log
    number BIGINT PRIMARY KEY DEFAULT nextval('audit_event_numbers'), who TEXT NOT NULL, role TEXT NOT NULL, address TEXT NOT NULL,
    what TEXT NOT NULL, path TEXT NOT NULL, asked TEXT NOT NULL, status SMALLINT NOT NULL, created_at TIMESTAMPTZ DEFAULT now());
