-- A database as the updater of schema 0001 left it: a request in every state it knew (test_store_upgrade.py).
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE intent (
	request_id VARCHAR(26) NOT NULL,
	environment TEXT NOT NULL,
	"commit" TEXT NOT NULL,
	branch TEXT NOT NULL,
	outcome JSON NOT NULL,
	CONSTRAINT pk_intent PRIMARY KEY (request_id, environment, "commit"),
	CONSTRAINT fk_intent_request_id FOREIGN KEY(request_id) REFERENCES request (id)
);
INSERT INTO "intent" VALUES('01kb0000000000000000000003','prod','eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee','main','{"environment":"prod","kind":"committed","code":"committed","reason":"The tag was written.","commit":"dddddddddddddddddddddddddddddddddddddddd","link":"","superseded_by":"","places":[{"chart":"iris","file":"values.yaml","line":3,"path":"image.tag","old":null,"new":"develop-1"}],"notes":["No order was known."]}');
CREATE TABLE request (
	sequence INTEGER NOT NULL,
	id VARCHAR(26) NOT NULL,
	name TEXT NOT NULL,
	repository TEXT NOT NULL,
	tag TEXT NOT NULL,
	digest TEXT,
	environment TEXT,
	caller TEXT NOT NULL,
	caller_document JSON NOT NULL,
	source JSON NOT NULL,
	idempotency_key TEXT,
	received_at DATETIME NOT NULL,
	reason TEXT NOT NULL,
	attempts INTEGER NOT NULL,
	due_at DATETIME,
	troubled_since DATETIME,
	leased_until DATETIME,
	done JSON NOT NULL,
	kind TEXT,
	outcome JSON,
	settled_at DATETIME,
	CONSTRAINT pk_request PRIMARY KEY (sequence),
	CONSTRAINT uq_request_caller_idempotency_key UNIQUE (caller, idempotency_key),
	CONSTRAINT uq_request_id UNIQUE (id)
);
INSERT INTO "request" VALUES(1,'01kb0000000000000000000001','registry.example.com/shop/iris','registry.example.com/shop/iris','develop-1',NULL,NULL,'ci','{"name":"ci","images":["registry.example.com/shop/*"],"environments":["dev","prod"]}','{"project":"shop/iris","commit":"cccccccccccccccccccccccccccccccccccccccc","ref":"","pipeline_id":"","pipeline_url":"","author":"Kim"}','first','2026-11-22 12:00:01.000000','',0,NULL,NULL,NULL,'[]','committed','{"kind":"committed","reason":"The tag was written.","environments":[{"environment":"dev","kind":"committed","code":"committed","reason":"The tag was written.","commit":"dddddddddddddddddddddddddddddddddddddddd","link":"","superseded_by":"","places":[{"chart":"iris","file":"values.yaml","line":3,"path":"image.tag","old":null,"new":"develop-1"}],"notes":["No order was known."]},{"environment":"stage","kind":"committed","code":"committed","reason":"The tag was written.","commit":"dddddddddddddddddddddddddddddddddddddddd","link":"","superseded_by":"","places":[{"chart":"iris","file":"values.yaml","line":3,"path":"image.tag","old":null,"new":"develop-1"}],"notes":["No order was known."]}]}','2026-11-22 12:00:05.000000');
INSERT INTO "request" VALUES(2,'01kb0000000000000000000002','registry.example.com/shop/iris','registry.example.com/shop/iris','develop-2',NULL,'prod','ci','{"name":"ci","images":["registry.example.com/shop/*"],"environments":["dev","prod"]}','{"project":"shop/iris","commit":"cccccccccccccccccccccccccccccccccccccccc","ref":"","pipeline_id":"","pipeline_url":"","author":"Kim"}',NULL,'2026-11-22 12:00:02.000000','',0,NULL,NULL,NULL,'[]','refused','{"kind":"refused","reason":"The tag was written.","environments":[{"environment":"prod","kind":"refused","code":"refused","reason":"The tag was written.","commit":"dddddddddddddddddddddddddddddddddddddddd","link":"","superseded_by":"","places":[{"chart":"iris","file":"values.yaml","line":3,"path":"image.tag","old":null,"new":"develop-1"}],"notes":["No order was known."]}]}','2026-11-22 12:00:05.000000');
INSERT INTO "request" VALUES(3,'01kb0000000000000000000003','registry.example.com/shop/iris','registry.example.com/shop/iris','develop-3',NULL,NULL,'ci','{"name":"ci","images":["registry.example.com/shop/*"],"environments":["dev","prod"]}','{"project":"shop/iris","commit":"cccccccccccccccccccccccccccccccccccccccc","ref":"","pipeline_id":"","pipeline_url":"","author":"Kim"}',NULL,'2026-11-22 12:00:03.000000','Git is away.',1,'2026-11-22 12:05:00.000000','2026-11-22 12:00:00.000000',NULL,'[{"environment":"dev","kind":"committed","code":"committed","reason":"The tag was written.","commit":"dddddddddddddddddddddddddddddddddddddddd","link":"","superseded_by":"","places":[{"chart":"iris","file":"values.yaml","line":3,"path":"image.tag","old":null,"new":"develop-1"}],"notes":["No order was known."]}]',NULL,NULL,NULL);
INSERT INTO "request" VALUES(4,'01kb0000000000000000000004','registry.example.com/shop/rose','registry.example.com/shop/rose','develop-4',NULL,NULL,'ci','{"name":"ci","images":["registry.example.com/shop/*"],"environments":["dev","prod"]}','{"project":"shop/iris","commit":"cccccccccccccccccccccccccccccccccccccccc","ref":"","pipeline_id":"","pipeline_url":"","author":"Kim"}',NULL,'2026-11-22 12:00:04.000000','',0,NULL,NULL,'2026-11-22 13:00:05.000000','[]',NULL,NULL,NULL);
INSERT INTO "request" VALUES(5,'01kb0000000000000000000005','registry.example.com/shop/lily','registry.example.com/shop/lily','develop-5',NULL,NULL,'ci','{"name":"ci","images":["registry.example.com/shop/*"],"environments":["dev","prod"]}','{"project":"shop/iris","commit":"cccccccccccccccccccccccccccccccccccccccc","ref":"","pipeline_id":"","pipeline_url":"","author":"Kim"}','last','2026-11-22 12:00:05.000000','',0,NULL,NULL,NULL,'[]',NULL,NULL,NULL);
CREATE TABLE settled_in (
	environment TEXT NOT NULL,
	sequence INTEGER NOT NULL,
	CONSTRAINT pk_settled_in PRIMARY KEY (environment, sequence),
	CONSTRAINT fk_settled_in_sequence FOREIGN KEY(sequence) REFERENCES request (sequence)
);
INSERT INTO "settled_in" VALUES('dev',1);
INSERT INTO "settled_in" VALUES('stage',1);
INSERT INTO "settled_in" VALUES('prod',2);
CREATE INDEX ix_request_repository_sequence ON request (repository, sequence);
CREATE INDEX ix_request_kind_sequence ON request (kind, sequence);
COMMIT;
