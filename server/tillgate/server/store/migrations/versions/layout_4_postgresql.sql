CREATE TABLE shop (
  shop TEXT COLLATE "C" NOT NULL,
  currency TEXT COLLATE "C" NOT NULL,
  seeded_at TEXT COLLATE "C" NOT NULL,
  digest TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (shop),
  CONSTRAINT seeded_at_utc CHECK (seeded_at ~ '^[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$')
);

CREATE TABLE customer (
  shop TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  email TEXT COLLATE "C" NOT NULL,
  first_name TEXT COLLATE "C" NOT NULL,
  last_name TEXT COLLATE "C" NOT NULL,
  phone TEXT COLLATE "C",
  created_at TEXT COLLATE "C" NOT NULL,
  address TEXT COLLATE "C" NOT NULL,
  address_changed_at TEXT COLLATE "C",
  email_changed_at TEXT COLLATE "C",
  tags TEXT COLLATE "C" NOT NULL,
  version BIGINT DEFAULT 1 NOT NULL,
  PRIMARY KEY (shop, id),
  CONSTRAINT version_least CHECK (version >= 1),
  CONSTRAINT created_at_utc CHECK (created_at ~ '^[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$'),
  CONSTRAINT address_changed_at_utc CHECK (address_changed_at ~ '^[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$'),
  CONSTRAINT email_changed_at_utc CHECK (email_changed_at ~ '^[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$'),
  CONSTRAINT address_json CHECK (CAST(address AS json) IS NOT NULL),
  CONSTRAINT tags_json CHECK (CAST(tags AS json) IS NOT NULL)
);

CREATE INDEX customer_postal_code ON customer (shop, lower(trim((CAST(address AS json) ->> 'postal_code'))));

CREATE UNIQUE INDEX customer_email ON customer (shop, lower(trim(email)));

CREATE TABLE product (
  shop TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  title TEXT COLLATE "C" NOT NULL,
  category TEXT COLLATE "C",
  PRIMARY KEY (shop, id)
);

CREATE INDEX product_category ON product (shop, lower(category));

CREATE TABLE offer (
  shop TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  value BIGINT NOT NULL,
  minimum BIGINT NOT NULL,
  starts_at TEXT COLLATE "C",
  ends_at TEXT COLLATE "C",
  stackable BIGINT NOT NULL,
  max_uses_per_customer BIGINT,
  tags TEXT COLLATE "C" NOT NULL,
  version BIGINT DEFAULT 1 NOT NULL,
  PRIMARY KEY (shop, id),
  CONSTRAINT value_least CHECK (value >= 0),
  CONSTRAINT minimum_least CHECK (minimum >= 0),
  CONSTRAINT max_uses_per_customer_least CHECK (max_uses_per_customer >= 1),
  CONSTRAINT version_least CHECK (version >= 1),
  CONSTRAINT percent_whole CHECK (kind != 'percent' OR value BETWEEN 1 AND 10000),
  CONSTRAINT stackable_flag CHECK (stackable IN (0, 1)),
  CONSTRAINT kind_known CHECK (kind IN ('percent', 'amount', 'free_shipping')),
  CONSTRAINT starts_at_utc CHECK (starts_at ~ '^[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$'),
  CONSTRAINT ends_at_utc CHECK (ends_at ~ '^[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$'),
  CONSTRAINT tags_json CHECK (CAST(tags AS json) IS NOT NULL)
);

CREATE FUNCTION offer_version() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.version := OLD.version + 1; RETURN NEW; END $$;

CREATE TRIGGER offer_version BEFORE UPDATE OF kind, value, minimum, starts_at, ends_at, stackable, max_uses_per_customer ON offer FOR EACH ROW EXECUTE FUNCTION offer_version();

CREATE TABLE payment_method (
  shop TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  customer_id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  brand TEXT COLLATE "C",
  last4 TEXT COLLATE "C",
  version BIGINT DEFAULT 1 NOT NULL,
  PRIMARY KEY (shop, id),
  FOREIGN KEY(shop, customer_id) REFERENCES customer (shop, id),
  CONSTRAINT version_least CHECK (version >= 1),
  CONSTRAINT kind_known CHECK (kind IN ('card', 'paypal', 'gift_card', 'store_credit')),
  CONSTRAINT last4_only CHECK (last4 ~ '^[0-9][0-9][0-9][0-9]$')
);

CREATE INDEX payment_method_customer ON payment_method (shop, customer_id);

ALTER TABLE payment_method ADD COLUMN rowid bigint GENERATED ALWAYS AS IDENTITY;

CREATE TABLE variant (
  shop TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  product_id TEXT COLLATE "C" NOT NULL,
  options TEXT COLLATE "C" NOT NULL,
  price BIGINT NOT NULL,
  cost BIGINT,
  stock BIGINT NOT NULL,
  words TEXT COLLATE "C" DEFAULT '' NOT NULL,
  place BIGINT NOT NULL,
  version BIGINT DEFAULT 1 NOT NULL,
  PRIMARY KEY (shop, id),
  FOREIGN KEY(shop, product_id) REFERENCES product (shop, id),
  CONSTRAINT price_least CHECK (price >= 0),
  CONSTRAINT cost_least CHECK (cost >= 0),
  CONSTRAINT stock_least CHECK (stock >= 0),
  CONSTRAINT version_least CHECK (version >= 1),
  CONSTRAINT options_json CHECK (CAST(options AS json) IS NOT NULL)
);

CREATE INDEX variant_price ON variant (shop, price);

CREATE INDEX variant_product ON variant (shop, product_id);

CREATE UNIQUE INDEX variant_place ON variant (shop, place);

DO $$
BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
  CREATE EXTENSION IF NOT EXISTS btree_gin;
  CREATE INDEX variant_words ON variant USING gin (shop, words gin_trgm_ops);
EXCEPTION WHEN OTHERS THEN
  RAISE NOTICE 'a search by words has no index: %%', SQLERRM;
END $$;

CREATE FUNCTION variant_version() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.version := OLD.version + 1; RETURN NEW; END $$;

CREATE TRIGGER variant_version BEFORE UPDATE OF price, cost, product_id, options ON variant FOR EACH ROW EXECUTE FUNCTION variant_version();

CREATE TABLE cart (
  shop TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  customer_id TEXT COLLATE "C",
  conversation TEXT COLLATE "C",
  created_at TEXT COLLATE "C" NOT NULL,
  version BIGINT DEFAULT 1 NOT NULL,
  PRIMARY KEY (shop, id),
  FOREIGN KEY(shop, customer_id) REFERENCES customer (shop, id),
  CONSTRAINT version_least CHECK (version >= 1),
  CONSTRAINT created_at_utc CHECK (created_at ~ '^[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$'),
  CONSTRAINT cart_owned CHECK (customer_id IS NOT NULL OR conversation IS NOT NULL)
);

CREATE INDEX cart_customer ON cart (shop, customer_id, created_at);

CREATE INDEX cart_conversation ON cart (shop, conversation, created_at);

CREATE TABLE orders (
  shop TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  customer_id TEXT COLLATE "C" NOT NULL,
  placed_at TEXT COLLATE "C" NOT NULL,
  status TEXT COLLATE "C" NOT NULL,
  delivered_at TEXT COLLATE "C",
  disputed BIGINT NOT NULL,
  shipping_address TEXT COLLATE "C" NOT NULL,
  note TEXT COLLATE "C",
  version BIGINT DEFAULT 1 NOT NULL,
  PRIMARY KEY (shop, id),
  FOREIGN KEY(shop, customer_id) REFERENCES customer (shop, id),
  CONSTRAINT version_least CHECK (version >= 1),
  CONSTRAINT status_known CHECK (status IN ('pending', 'processed', 'shipped', 'delivered', 'cancelled')),
  CONSTRAINT disputed_flag CHECK (disputed IN (0, 1)),
  CONSTRAINT placed_at_utc CHECK (placed_at ~ '^[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$'),
  CONSTRAINT delivered_at_utc CHECK (delivered_at ~ '^[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$'),
  CONSTRAINT shipping_address_json CHECK (CAST(shipping_address AS json) IS NOT NULL)
);

CREATE INDEX orders_customer ON orders (shop, customer_id, placed_at);

CREATE INDEX orders_address ON orders (shop, md5(shipping_address), placed_at);

CREATE TABLE cart_line (
  shop TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  cart_id TEXT COLLATE "C" NOT NULL,
  variant_id TEXT COLLATE "C" NOT NULL,
  quantity BIGINT NOT NULL,
  quoted BIGINT NOT NULL,
  PRIMARY KEY (shop, id),
  FOREIGN KEY(shop, cart_id) REFERENCES cart (shop, id),
  FOREIGN KEY(shop, variant_id) REFERENCES variant (shop, id),
  CONSTRAINT quantity_least CHECK (quantity >= 1),
  CONSTRAINT quoted_least CHECK (quoted >= 1),
  CONSTRAINT cart_line_named CHECK (id = cart_id || '/' || variant_id)
);

CREATE INDEX cart_line_cart ON cart_line (shop, cart_id);

CREATE TABLE cart_offer (
  shop TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  cart_id TEXT COLLATE "C" NOT NULL,
  code TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (shop, id),
  FOREIGN KEY(shop, cart_id) REFERENCES cart (shop, id),
  FOREIGN KEY(shop, code) REFERENCES offer (shop, id),
  CONSTRAINT cart_offer_named CHECK (id = cart_id || '/' || code)
);

CREATE INDEX cart_offer_offer ON cart_offer (shop, code);

CREATE INDEX cart_offer_cart ON cart_offer (shop, cart_id);

CREATE TABLE order_line (
  shop TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  order_id TEXT COLLATE "C" NOT NULL,
  variant_id TEXT COLLATE "C",
  quantity BIGINT NOT NULL,
  unit_price BIGINT NOT NULL,
  discount BIGINT NOT NULL,
  PRIMARY KEY (shop, id),
  FOREIGN KEY(shop, order_id) REFERENCES orders (shop, id),
  FOREIGN KEY(shop, variant_id) REFERENCES variant (shop, id),
  CONSTRAINT unit_price_least CHECK (unit_price >= 0),
  CONSTRAINT discount_least CHECK (discount >= 0),
  CONSTRAINT quantity_least CHECK (quantity >= 1),
  CONSTRAINT discount_covered CHECK (discount <= unit_price * quantity)
);

CREATE INDEX order_line_order ON order_line (shop, order_id);

ALTER TABLE order_line ADD COLUMN rowid bigint GENERATED ALWAYS AS IDENTITY;

CREATE TABLE transfer (
  shop TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  order_id TEXT COLLATE "C",
  method_id TEXT COLLATE "C" NOT NULL,
  payment_id TEXT COLLATE "C",
  amount BIGINT NOT NULL,
  cause TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C",
  lines TEXT COLLATE "C" NOT NULL,
  created_at TEXT COLLATE "C",
  settles_at TEXT COLLATE "C",
  source TEXT COLLATE "C" GENERATED ALWAYS AS (CASE kind WHEN 'refund' THEN 'order:' || order_id WHEN 'credit' THEN 'shop' ELSE 'method:' || method_id END) STORED,
  target TEXT COLLATE "C" GENERATED ALWAYS AS (CASE kind WHEN 'payment' THEN 'order:' || order_id WHEN 'debit' THEN 'shop' ELSE 'method:' || method_id END) STORED,
  PRIMARY KEY (shop, id),
  FOREIGN KEY(shop, order_id) REFERENCES orders (shop, id),
  FOREIGN KEY(shop, method_id) REFERENCES payment_method (shop, id),
  FOREIGN KEY(shop, payment_id) REFERENCES transfer (shop, id),
  CONSTRAINT amount_least CHECK (amount >= 0),
  CONSTRAINT kind_known CHECK (kind IN ('payment', 'refund', 'credit', 'debit')),
  CONSTRAINT cause_known CHECK (cause IN ('opening', 'order', 'refund', 'cancellation', 'return', 'exchange', 'items', 'payment')),
  CONSTRAINT transfer_named CHECK (substr(id, 1, length(kind) + 1) = kind || '/'),
  CONSTRAINT transfer_of_order CHECK ((order_id IS NULL) = (kind IN ('credit', 'debit'))),
  CONSTRAINT refund_of_payment CHECK ((payment_id IS NULL) = (kind != 'refund')),
  CONSTRAINT created_at_utc CHECK (created_at ~ '^[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$'),
  CONSTRAINT settles_at_utc CHECK (settles_at ~ '^[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$'),
  CONSTRAINT lines_json CHECK (CAST(lines AS json) IS NOT NULL)
);

CREATE INDEX transfer_payment ON transfer (shop, payment_id);

CREATE INDEX transfer_order ON transfer (shop, order_id);

CREATE INDEX transfer_method ON transfer (shop, method_id);

ALTER TABLE transfer ADD COLUMN rowid bigint GENERATED ALWAYS AS IDENTITY;

CREATE FUNCTION transfer_refund_covered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT 1
FROM transfer p WHERE p.shop = NEW.shop AND p.id = NEW.payment_id
  AND (SELECT sum(amount) FROM transfer r WHERE r.shop = p.shop AND r.payment_id = p.id) > p.amount) THEN RAISE EXCEPTION 'more would go back than was paid' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;

CREATE TRIGGER transfer_refund_covered AFTER INSERT ON transfer FOR EACH ROW WHEN (NEW.kind = 'refund') EXECUTE FUNCTION transfer_refund_covered();

CREATE FUNCTION transfer_method_covered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT 1
FROM payment_method WHERE shop = NEW.shop AND id = NEW.method_id AND kind IN ('gift_card', 'store_credit')
  AND (
  SELECT coalesce(sum(CASE WHEN kind IN ('refund', 'credit') THEN amount ELSE -amount END), 0)
  FROM transfer WHERE shop = NEW.shop AND method_id = NEW.method_id AND (kind != 'refund' OR settles_at IS NOT NULL)) < 0) THEN RAISE EXCEPTION 'the method has not that much' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;

CREATE TRIGGER transfer_method_covered AFTER INSERT ON transfer FOR EACH ROW WHEN (NEW.cause NOT IN ('opening', 'order', 'refund')) EXECUTE FUNCTION transfer_method_covered();

CREATE FUNCTION transfer_credit_spent() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT 1
FROM payment_method WHERE shop = OLD.shop AND id = OLD.method_id AND kind IN ('gift_card', 'store_credit')
  AND (
  SELECT coalesce(sum(CASE WHEN kind IN ('refund', 'credit') THEN amount ELSE -amount END), 0)
  FROM transfer WHERE shop = OLD.shop AND method_id = OLD.method_id AND (kind != 'refund' OR settles_at IS NOT NULL)) < 0) THEN RAISE EXCEPTION 'the method has not that much' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$;

CREATE TRIGGER transfer_credit_spent AFTER DELETE ON transfer FOR EACH ROW EXECUTE FUNCTION transfer_credit_spent();

CREATE FUNCTION transfer_unchanged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a transfer never changes' USING ERRCODE = 'integrity_constraint_violation'; RETURN NEW; END $$;

CREATE TRIGGER transfer_unchanged BEFORE UPDATE ON transfer FOR EACH ROW EXECUTE FUNCTION transfer_unchanged();

CREATE TABLE amendment (
  shop TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  order_id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C",
  lines TEXT COLLATE "C" NOT NULL,
  created_at TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (shop, id),
  FOREIGN KEY(shop, order_id) REFERENCES orders (shop, id),
  CONSTRAINT kind_known CHECK (kind IN ('items', 'payment', 'address', 'cancellation', 'return', 'exchange')),
  CONSTRAINT created_at_utc CHECK (created_at ~ '^[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$'),
  CONSTRAINT lines_json CHECK (CAST(lines AS json) IS NOT NULL)
);

CREATE INDEX amendment_order ON amendment (shop, order_id);

ALTER TABLE amendment ADD COLUMN rowid bigint GENERATED ALWAYS AS IDENTITY;

CREATE TABLE stock_move (
  shop TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  variant_id TEXT COLLATE "C" NOT NULL,
  order_id TEXT COLLATE "C" NOT NULL,
  quantity BIGINT NOT NULL,
  PRIMARY KEY (shop, id),
  FOREIGN KEY(shop, variant_id) REFERENCES variant (shop, id),
  FOREIGN KEY(shop, order_id) REFERENCES orders (shop, id),
  CONSTRAINT stock_moves CHECK (quantity != 0)
);

CREATE INDEX stock_move_variant ON stock_move (shop, variant_id);

CREATE INDEX stock_move_order ON stock_move (shop, order_id);

CREATE FUNCTION stock_move_moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE variant SET stock = stock + NEW.quantity WHERE shop = NEW.shop AND id = NEW.variant_id; RETURN NEW; END $$;

CREATE TRIGGER stock_move_moved AFTER INSERT ON stock_move FOR EACH ROW EXECUTE FUNCTION stock_move_moved();

CREATE FUNCTION stock_move_moved_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE variant SET stock = stock - OLD.quantity WHERE shop = OLD.shop AND id = OLD.variant_id; RETURN NEW; END $$;

CREATE TRIGGER stock_move_moved_back AFTER DELETE ON stock_move FOR EACH ROW EXECUTE FUNCTION stock_move_moved_back();

CREATE TABLE shipment (
  shop TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  order_id TEXT COLLATE "C" NOT NULL,
  tracking TEXT COLLATE "C",
  line_ids TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (shop, id),
  FOREIGN KEY(shop, order_id) REFERENCES orders (shop, id),
  CONSTRAINT line_ids_json CHECK (CAST(line_ids AS json) IS NOT NULL)
);

CREATE INDEX shipment_order ON shipment (shop, order_id);

ALTER TABLE shipment ADD COLUMN rowid bigint GENERATED ALWAYS AS IDENTITY;

CREATE TABLE log (
  shop TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (shop)
);

CREATE TABLE conversation (
  shop TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  nonce TEXT COLLATE "C" NOT NULL,
  customer_id TEXT COLLATE "C",
  stepped_up_at TEXT COLLATE "C",
  misses BIGINT NOT NULL,
  calls BIGINT NOT NULL,
  writes BIGINT NOT NULL,
  denied BIGINT NOT NULL,
  escalated BIGINT NOT NULL,
  orders TEXT COLLATE "C" NOT NULL,
  last_record BIGINT,
  PRIMARY KEY (shop, id)
);

CREATE TABLE challenge (
  shop TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  conversation TEXT COLLATE "C" NOT NULL,
  customer_id TEXT COLLATE "C" NOT NULL,
  sent_to TEXT COLLATE "C" NOT NULL,
  salt TEXT COLLATE "C" NOT NULL,
  code_hash TEXT COLLATE "C" NOT NULL,
  created_at TEXT COLLATE "C" NOT NULL,
  expires_at TEXT COLLATE "C" NOT NULL,
  attempts BIGINT NOT NULL,
  used BIGINT NOT NULL,
  PRIMARY KEY (shop, id)
);

CREATE INDEX challenge_customer ON challenge (shop, customer_id);

CREATE INDEX challenge_conversation ON challenge (shop, conversation);

CREATE TABLE confirmation (
  shop TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  conversation TEXT COLLATE "C" NOT NULL,
  customer_id TEXT COLLATE "C",
  tool TEXT COLLATE "C" NOT NULL,
  plan TEXT COLLATE "C" NOT NULL,
  strength BIGINT NOT NULL,
  salt TEXT COLLATE "C" NOT NULL,
  token_hash TEXT COLLATE "C" NOT NULL,
  created_at TEXT COLLATE "C" NOT NULL,
  expires_at TEXT COLLATE "C" NOT NULL,
  attempts BIGINT NOT NULL,
  spent BIGINT NOT NULL,
  said BIGINT NOT NULL,
  PRIMARY KEY (shop, id)
);

CREATE INDEX confirmation_customer ON confirmation (shop, customer_id) WHERE customer_id IS NOT NULL;

CREATE INDEX confirmation_conversation ON confirmation (shop, conversation);

CREATE TABLE action (
  shop TEXT COLLATE "C" NOT NULL,
  call_id TEXT COLLATE "C" NOT NULL,
  seq BIGINT NOT NULL,
  conversation TEXT COLLATE "C" NOT NULL,
  conversation_name TEXT COLLATE "C" NOT NULL,
  customer_id TEXT COLLATE "C",
  at TEXT COLLATE "C" NOT NULL,
  tool TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C",
  arguments TEXT COLLATE "C" NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL,
  roots TEXT COLLATE "C" NOT NULL,
  handle TEXT COLLATE "C",
  plan TEXT COLLATE "C",
  policy TEXT COLLATE "C" NOT NULL,
  undone_by TEXT COLLATE "C",
  PRIMARY KEY (shop, call_id)
);

CREATE INDEX action_handle ON action (shop, handle) WHERE handle IS NOT NULL;

CREATE INDEX action_key ON action (shop, key) WHERE key IS NOT NULL;

CREATE INDEX action_policy ON action (shop, policy);

CREATE INDEX action_arguments ON action (shop, arguments, seq);

CREATE TABLE budget_use (
  shop TEXT COLLATE "C" NOT NULL,
  budget TEXT COLLATE "C" NOT NULL,
  account TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  call_id TEXT COLLATE "C" NOT NULL,
  amount BIGINT NOT NULL,
  handle TEXT COLLATE "C",
  taken_back BIGINT NOT NULL,
  PRIMARY KEY (shop, budget, account, at, call_id)
);

CREATE INDEX budget_use_handle ON budget_use (shop, handle) WHERE handle IS NOT NULL;

CREATE INDEX budget_use_call ON budget_use (shop, call_id);

CREATE TABLE escalation (
  shop TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  call_id TEXT COLLATE "C" NOT NULL,
  conversation TEXT COLLATE "C" NOT NULL,
  customer_id TEXT COLLATE "C",
  caller TEXT COLLATE "C" NOT NULL,
  assurance BIGINT NOT NULL,
  tool TEXT COLLATE "C" NOT NULL,
  arguments TEXT COLLATE "C" NOT NULL,
  consent BIGINT NOT NULL,
  plan_digest TEXT COLLATE "C" NOT NULL,
  basis TEXT COLLATE "C" NOT NULL,
  summary TEXT COLLATE "C" NOT NULL,
  amount BIGINT NOT NULL,
  queue TEXT COLLATE "C" NOT NULL,
  approvals BIGINT NOT NULL,
  policy TEXT COLLATE "C" NOT NULL,
  created_at TEXT COLLATE "C" NOT NULL,
  expires_at TEXT COLLATE "C" NOT NULL,
  status TEXT COLLATE "C" NOT NULL,
  message TEXT COLLATE "C",
  packet TEXT COLLATE "C" NOT NULL,
  result TEXT COLLATE "C",
  effects TEXT COLLATE "C" NOT NULL,
  fence BIGINT NOT NULL,
  lease_until TEXT COLLATE "C",
  PRIMARY KEY (shop, id)
);

CREATE INDEX escalation_customer ON escalation (shop, customer_id) WHERE customer_id IS NOT NULL;

CREATE INDEX escalation_status ON escalation (shop, status);

CREATE TABLE approval (
  shop TEXT COLLATE "C" NOT NULL,
  escalation_id TEXT COLLATE "C" NOT NULL,
  reviewer TEXT COLLATE "C" NOT NULL,
  at TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (shop, escalation_id, reviewer)
);

ALTER TABLE approval ADD COLUMN rowid bigint GENERATED ALWAYS AS IDENTITY;

CREATE TABLE audit (
  shop TEXT COLLATE "C" NOT NULL,
  seq BIGINT NOT NULL,
  hash TEXT COLLATE "C" NOT NULL,
  before BIGINT,
  record BYTEA NOT NULL,
  PRIMARY KEY (shop, seq)
);

CREATE FUNCTION audit_no_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the audit log only grows' USING ERRCODE = 'integrity_constraint_violation'; RETURN NEW; END $$;

CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_no_change();

CREATE FUNCTION audit_no_emptying() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the audit log only grows' USING ERRCODE = 'integrity_constraint_violation'; RETURN NEW; END $$;

CREATE TRIGGER audit_no_emptying BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_no_emptying();

CREATE TABLE personal (
  shop TEXT COLLATE "C" NOT NULL,
  seq BIGINT NOT NULL,
  entries BYTEA NOT NULL,
  PRIMARY KEY (shop, seq)
);

CREATE TABLE policy_version (
  shop TEXT COLLATE "C" NOT NULL,
  seq BIGINT NOT NULL,
  digest TEXT COLLATE "C" NOT NULL,
  source TEXT COLLATE "C" NOT NULL,
  text TEXT COLLATE "C" NOT NULL,
  served_at TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (shop, seq)
);

CREATE TABLE serving (
  shop TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  value TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (shop, name)
);

CREATE TABLE paused (
  shop TEXT COLLATE "C" NOT NULL,
  tool TEXT COLLATE "C" NOT NULL,
  by TEXT COLLATE "C" NOT NULL,
  at TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (shop, tool)
);

CREATE TABLE outbox (
  shop TEXT COLLATE "C" NOT NULL,
  seq BIGINT NOT NULL,
  at TEXT COLLATE "C" NOT NULL,
  recipient TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  body TEXT COLLATE "C" NOT NULL,
  sent_at TEXT COLLATE "C",
  PRIMARY KEY (shop, seq)
);
