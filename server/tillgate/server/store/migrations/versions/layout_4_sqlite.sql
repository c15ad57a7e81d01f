CREATE TABLE shop (
  shop TEXT NOT NULL,
  currency TEXT NOT NULL,
  seeded_at TEXT NOT NULL,
  digest TEXT NOT NULL,
  PRIMARY KEY (shop),
  CONSTRAINT seeded_at_utc CHECK (seeded_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z')
)
 STRICT;

CREATE TABLE customer (
  shop TEXT NOT NULL,
  id TEXT NOT NULL,
  email TEXT NOT NULL,
  first_name TEXT NOT NULL,
  last_name TEXT NOT NULL,
  phone TEXT,
  created_at TEXT NOT NULL,
  address TEXT NOT NULL,
  address_changed_at TEXT,
  email_changed_at TEXT,
  tags TEXT NOT NULL,
  version INTEGER DEFAULT 1 NOT NULL,
  PRIMARY KEY (shop, id),
  CONSTRAINT version_least CHECK (version >= 1),
  CONSTRAINT created_at_utc CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z'),
  CONSTRAINT address_changed_at_utc CHECK (address_changed_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z'),
  CONSTRAINT email_changed_at_utc CHECK (email_changed_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z'),
  CONSTRAINT address_json CHECK (json_valid(address)),
  CONSTRAINT tags_json CHECK (json_valid(tags))
)
 STRICT;

CREATE INDEX customer_postal_code ON customer (shop, lower(trim(json_extract(address, '$.postal_code'))));

CREATE UNIQUE INDEX customer_email ON customer (shop, lower(trim(email)));

CREATE TABLE product (
  shop TEXT NOT NULL,
  id TEXT NOT NULL,
  title TEXT NOT NULL,
  category TEXT,
  PRIMARY KEY (shop, id)
)
 STRICT;

CREATE INDEX product_category ON product (shop, lower(category));

CREATE TABLE offer (
  shop TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  value INTEGER NOT NULL,
  minimum INTEGER NOT NULL,
  starts_at TEXT,
  ends_at TEXT,
  stackable INTEGER NOT NULL,
  max_uses_per_customer INTEGER,
  tags TEXT NOT NULL,
  version INTEGER DEFAULT 1 NOT NULL,
  PRIMARY KEY (shop, id),
  CONSTRAINT value_least CHECK (value >= 0),
  CONSTRAINT minimum_least CHECK (minimum >= 0),
  CONSTRAINT max_uses_per_customer_least CHECK (max_uses_per_customer >= 1),
  CONSTRAINT version_least CHECK (version >= 1),
  CONSTRAINT percent_whole CHECK (kind != 'percent' OR value BETWEEN 1 AND 10000),
  CONSTRAINT stackable_flag CHECK (stackable IN (0, 1)),
  CONSTRAINT kind_known CHECK (kind IN ('percent', 'amount', 'free_shipping')),
  CONSTRAINT starts_at_utc CHECK (starts_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z'),
  CONSTRAINT ends_at_utc CHECK (ends_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z'),
  CONSTRAINT tags_json CHECK (json_valid(tags))
)
 STRICT;

CREATE TRIGGER offer_version AFTER UPDATE OF kind, value, minimum, starts_at, ends_at, stackable, max_uses_per_customer ON offer BEGIN UPDATE offer SET version = version + 1 WHERE shop = NEW.shop AND id = NEW.id; END;

CREATE TABLE payment_method (
  shop TEXT NOT NULL,
  id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  brand TEXT,
  last4 TEXT,
  version INTEGER DEFAULT 1 NOT NULL,
  PRIMARY KEY (shop, id),
  FOREIGN KEY(shop, customer_id) REFERENCES customer (shop, id),
  CONSTRAINT version_least CHECK (version >= 1),
  CONSTRAINT kind_known CHECK (kind IN ('card', 'paypal', 'gift_card', 'store_credit')),
  CONSTRAINT last4_only CHECK (last4 GLOB '[0-9][0-9][0-9][0-9]')
)
 STRICT;

CREATE INDEX payment_method_customer ON payment_method (shop, customer_id);

CREATE TABLE variant (
  shop TEXT NOT NULL,
  id TEXT NOT NULL,
  product_id TEXT NOT NULL,
  options TEXT NOT NULL,
  price INTEGER NOT NULL,
  cost INTEGER,
  stock INTEGER NOT NULL,
  words TEXT DEFAULT '' NOT NULL,
  place INTEGER NOT NULL,
  version INTEGER DEFAULT 1 NOT NULL,
  PRIMARY KEY (shop, id),
  FOREIGN KEY(shop, product_id) REFERENCES product (shop, id),
  CONSTRAINT price_least CHECK (price >= 0),
  CONSTRAINT cost_least CHECK (cost >= 0),
  CONSTRAINT stock_least CHECK (stock >= 0),
  CONSTRAINT version_least CHECK (version >= 1),
  CONSTRAINT options_json CHECK (json_valid(options))
)
 STRICT;

CREATE INDEX variant_price ON variant (shop, price);

CREATE INDEX variant_product ON variant (shop, product_id);

CREATE UNIQUE INDEX variant_place ON variant (shop, place);

CREATE VIRTUAL TABLE variant_words USING fts5(words, content = 'variant', content_rowid = 'place', tokenize = 'trigram');

CREATE TRIGGER variant_worded AFTER INSERT ON variant BEGIN INSERT INTO variant_words (rowid, words) VALUES (NEW.place, NEW.words); END;

CREATE TRIGGER variant_reworded AFTER UPDATE OF words, place ON variant BEGIN INSERT INTO variant_words (variant_words, rowid, words) VALUES ('delete', OLD.place, OLD.words); INSERT INTO variant_words (rowid, words) VALUES (NEW.place, NEW.words); END;

CREATE TRIGGER variant_unworded AFTER DELETE ON variant BEGIN INSERT INTO variant_words (variant_words, rowid, words) VALUES ('delete', OLD.place, OLD.words); END;

CREATE TRIGGER variant_version AFTER UPDATE OF price, cost, product_id, options ON variant BEGIN UPDATE variant SET version = version + 1 WHERE shop = NEW.shop AND id = NEW.id; END;

CREATE TABLE cart (
  shop TEXT NOT NULL,
  id TEXT NOT NULL,
  customer_id TEXT,
  conversation TEXT,
  created_at TEXT NOT NULL,
  version INTEGER DEFAULT 1 NOT NULL,
  PRIMARY KEY (shop, id),
  FOREIGN KEY(shop, customer_id) REFERENCES customer (shop, id),
  CONSTRAINT version_least CHECK (version >= 1),
  CONSTRAINT created_at_utc CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z'),
  CONSTRAINT cart_owned CHECK (customer_id IS NOT NULL OR conversation IS NOT NULL)
)
 STRICT;

CREATE INDEX cart_customer ON cart (shop, customer_id, created_at);

CREATE INDEX cart_conversation ON cart (shop, conversation, created_at);

CREATE TABLE orders (
  shop TEXT NOT NULL,
  id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  placed_at TEXT NOT NULL,
  status TEXT NOT NULL,
  delivered_at TEXT,
  disputed INTEGER NOT NULL,
  shipping_address TEXT NOT NULL,
  note TEXT,
  version INTEGER DEFAULT 1 NOT NULL,
  PRIMARY KEY (shop, id),
  FOREIGN KEY(shop, customer_id) REFERENCES customer (shop, id),
  CONSTRAINT version_least CHECK (version >= 1),
  CONSTRAINT status_known CHECK (status IN ('pending', 'processed', 'shipped', 'delivered', 'cancelled')),
  CONSTRAINT disputed_flag CHECK (disputed IN (0, 1)),
  CONSTRAINT placed_at_utc CHECK (placed_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z'),
  CONSTRAINT delivered_at_utc CHECK (delivered_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z'),
  CONSTRAINT shipping_address_json CHECK (json_valid(shipping_address))
)
 STRICT;

CREATE INDEX orders_customer ON orders (shop, customer_id, placed_at);

CREATE INDEX orders_address ON orders (shop, shipping_address, placed_at);

CREATE TABLE cart_line (
  shop TEXT NOT NULL,
  id TEXT NOT NULL,
  cart_id TEXT NOT NULL,
  variant_id TEXT NOT NULL,
  quantity INTEGER NOT NULL,
  quoted INTEGER NOT NULL,
  PRIMARY KEY (shop, id),
  FOREIGN KEY(shop, cart_id) REFERENCES cart (shop, id),
  FOREIGN KEY(shop, variant_id) REFERENCES variant (shop, id),
  CONSTRAINT quantity_least CHECK (quantity >= 1),
  CONSTRAINT quoted_least CHECK (quoted >= 1),
  CONSTRAINT cart_line_named CHECK (id = cart_id || '/' || variant_id)
)
 STRICT;

CREATE INDEX cart_line_cart ON cart_line (shop, cart_id);

CREATE TABLE cart_offer (
  shop TEXT NOT NULL,
  id TEXT NOT NULL,
  cart_id TEXT NOT NULL,
  code TEXT NOT NULL,
  PRIMARY KEY (shop, id),
  FOREIGN KEY(shop, cart_id) REFERENCES cart (shop, id),
  FOREIGN KEY(shop, code) REFERENCES offer (shop, id),
  CONSTRAINT cart_offer_named CHECK (id = cart_id || '/' || code)
)
 STRICT;

CREATE INDEX cart_offer_offer ON cart_offer (shop, code);

CREATE INDEX cart_offer_cart ON cart_offer (shop, cart_id);

CREATE TABLE order_line (
  shop TEXT NOT NULL,
  id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  variant_id TEXT,
  quantity INTEGER NOT NULL,
  unit_price INTEGER NOT NULL,
  discount INTEGER NOT NULL,
  PRIMARY KEY (shop, id),
  FOREIGN KEY(shop, order_id) REFERENCES orders (shop, id),
  FOREIGN KEY(shop, variant_id) REFERENCES variant (shop, id),
  CONSTRAINT unit_price_least CHECK (unit_price >= 0),
  CONSTRAINT discount_least CHECK (discount >= 0),
  CONSTRAINT quantity_least CHECK (quantity >= 1),
  CONSTRAINT discount_covered CHECK (discount <= unit_price * quantity)
)
 STRICT;

CREATE INDEX order_line_order ON order_line (shop, order_id);

CREATE TABLE transfer (
  shop TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  order_id TEXT,
  method_id TEXT NOT NULL,
  payment_id TEXT,
  amount INTEGER NOT NULL,
  cause TEXT NOT NULL,
  reason TEXT,
  lines TEXT NOT NULL,
  created_at TEXT,
  settles_at TEXT,
  source TEXT GENERATED ALWAYS AS (CASE kind WHEN 'refund' THEN 'order:' || order_id WHEN 'credit' THEN 'shop' ELSE 'method:' || method_id END) STORED,
  target TEXT GENERATED ALWAYS AS (CASE kind WHEN 'payment' THEN 'order:' || order_id WHEN 'debit' THEN 'shop' ELSE 'method:' || method_id END) STORED,
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
  CONSTRAINT created_at_utc CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z'),
  CONSTRAINT settles_at_utc CHECK (settles_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z'),
  CONSTRAINT lines_json CHECK (json_valid(lines))
)
 STRICT;

CREATE INDEX transfer_payment ON transfer (shop, payment_id);

CREATE INDEX transfer_order ON transfer (shop, order_id);

CREATE INDEX transfer_method ON transfer (shop, method_id);

CREATE TRIGGER transfer_refund_covered AFTER INSERT ON transfer WHEN NEW.kind = 'refund' BEGIN SELECT RAISE(ABORT, 'more would go back than was paid')
FROM transfer p WHERE p.shop = NEW.shop AND p.id = NEW.payment_id
  AND (SELECT sum(amount) FROM transfer r WHERE r.shop = p.shop AND r.payment_id = p.id) > p.amount; END;

CREATE TRIGGER transfer_method_covered AFTER INSERT ON transfer WHEN NEW.cause NOT IN ('opening', 'order', 'refund') BEGIN SELECT RAISE(ABORT, 'the method has not that much')
FROM payment_method WHERE shop = NEW.shop AND id = NEW.method_id AND kind IN ('gift_card', 'store_credit')
  AND (
  SELECT coalesce(sum(CASE WHEN kind IN ('refund', 'credit') THEN amount ELSE -amount END), 0)
  FROM transfer WHERE shop = NEW.shop AND method_id = NEW.method_id AND (kind != 'refund' OR settles_at IS NOT NULL)) < 0; END;

CREATE TRIGGER transfer_credit_spent AFTER DELETE ON transfer BEGIN SELECT RAISE(ABORT, 'the method has not that much')
FROM payment_method WHERE shop = OLD.shop AND id = OLD.method_id AND kind IN ('gift_card', 'store_credit')
  AND (
  SELECT coalesce(sum(CASE WHEN kind IN ('refund', 'credit') THEN amount ELSE -amount END), 0)
  FROM transfer WHERE shop = OLD.shop AND method_id = OLD.method_id AND (kind != 'refund' OR settles_at IS NOT NULL)) < 0; END;

CREATE TRIGGER transfer_unchanged BEFORE UPDATE ON transfer BEGIN SELECT RAISE(ABORT, 'a transfer never changes') ; END;

CREATE TABLE amendment (
  shop TEXT NOT NULL,
  id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  reason TEXT,
  lines TEXT NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (shop, id),
  FOREIGN KEY(shop, order_id) REFERENCES orders (shop, id),
  CONSTRAINT kind_known CHECK (kind IN ('items', 'payment', 'address', 'cancellation', 'return', 'exchange')),
  CONSTRAINT created_at_utc CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z'),
  CONSTRAINT lines_json CHECK (json_valid(lines))
)
 STRICT;

CREATE INDEX amendment_order ON amendment (shop, order_id);

CREATE TABLE stock_move (
  shop TEXT NOT NULL,
  id TEXT NOT NULL,
  variant_id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  quantity INTEGER NOT NULL,
  PRIMARY KEY (shop, id),
  FOREIGN KEY(shop, variant_id) REFERENCES variant (shop, id),
  FOREIGN KEY(shop, order_id) REFERENCES orders (shop, id),
  CONSTRAINT stock_moves CHECK (quantity != 0)
)
 STRICT;

CREATE INDEX stock_move_variant ON stock_move (shop, variant_id);

CREATE INDEX stock_move_order ON stock_move (shop, order_id);

CREATE TRIGGER stock_move_moved AFTER INSERT ON stock_move BEGIN UPDATE variant SET stock = stock + NEW.quantity WHERE shop = NEW.shop AND id = NEW.variant_id; END;

CREATE TRIGGER stock_move_moved_back AFTER DELETE ON stock_move BEGIN UPDATE variant SET stock = stock - OLD.quantity WHERE shop = OLD.shop AND id = OLD.variant_id; END;

CREATE TABLE shipment (
  shop TEXT NOT NULL,
  id TEXT NOT NULL,
  order_id TEXT NOT NULL,
  tracking TEXT,
  line_ids TEXT NOT NULL,
  PRIMARY KEY (shop, id),
  FOREIGN KEY(shop, order_id) REFERENCES orders (shop, id),
  CONSTRAINT line_ids_json CHECK (json_valid(line_ids))
)
 STRICT;

CREATE INDEX shipment_order ON shipment (shop, order_id);

CREATE TABLE log (
  shop TEXT NOT NULL,
  PRIMARY KEY (shop)
);

CREATE TABLE conversation (
  shop TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  nonce TEXT NOT NULL,
  customer_id TEXT,
  stepped_up_at TEXT,
  misses INTEGER NOT NULL,
  calls INTEGER NOT NULL,
  writes INTEGER NOT NULL,
  denied INTEGER NOT NULL,
  escalated INTEGER NOT NULL,
  orders TEXT NOT NULL,
  last_record INTEGER,
  PRIMARY KEY (shop, id)
);

CREATE TABLE challenge (
  shop TEXT NOT NULL,
  id TEXT NOT NULL,
  conversation TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  sent_to TEXT NOT NULL,
  salt TEXT NOT NULL,
  code_hash TEXT NOT NULL,
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  used INTEGER NOT NULL,
  PRIMARY KEY (shop, id)
);

CREATE INDEX challenge_customer ON challenge (shop, customer_id);

CREATE INDEX challenge_conversation ON challenge (shop, conversation);

CREATE TABLE confirmation (
  shop TEXT NOT NULL,
  id TEXT NOT NULL,
  conversation TEXT NOT NULL,
  customer_id TEXT,
  tool TEXT NOT NULL,
  "plan" TEXT NOT NULL,
  strength INTEGER NOT NULL,
  salt TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  spent INTEGER NOT NULL,
  said INTEGER NOT NULL,
  PRIMARY KEY (shop, id)
);

CREATE INDEX confirmation_customer ON confirmation (shop, customer_id) WHERE customer_id IS NOT NULL;

CREATE INDEX confirmation_conversation ON confirmation (shop, conversation);

CREATE TABLE action (
  shop TEXT NOT NULL,
  call_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  conversation TEXT NOT NULL,
  conversation_name TEXT NOT NULL,
  customer_id TEXT,
  at TEXT NOT NULL,
  tool TEXT NOT NULL,
  "key" TEXT,
  arguments TEXT NOT NULL,
  outcome TEXT NOT NULL,
  roots TEXT NOT NULL,
  handle TEXT,
  "plan" TEXT,
  policy TEXT NOT NULL,
  undone_by TEXT,
  PRIMARY KEY (shop, call_id)
);

CREATE INDEX action_handle ON action (shop, handle) WHERE handle IS NOT NULL;

CREATE INDEX action_key ON action (shop, "key") WHERE key IS NOT NULL;

CREATE INDEX action_policy ON action (shop, policy);

CREATE INDEX action_arguments ON action (shop, arguments, seq);

CREATE TABLE budget_use (
  shop TEXT NOT NULL,
  budget TEXT NOT NULL,
  account TEXT NOT NULL,
  at INTEGER NOT NULL,
  call_id TEXT NOT NULL,
  amount INTEGER NOT NULL,
  handle TEXT,
  taken_back INTEGER NOT NULL,
  PRIMARY KEY (shop, budget, account, at, call_id)
);

CREATE INDEX budget_use_handle ON budget_use (shop, handle) WHERE handle IS NOT NULL;

CREATE INDEX budget_use_call ON budget_use (shop, call_id);

CREATE TABLE escalation (
  shop TEXT NOT NULL,
  id TEXT NOT NULL,
  call_id TEXT NOT NULL,
  conversation TEXT NOT NULL,
  customer_id TEXT,
  caller TEXT NOT NULL,
  assurance INTEGER NOT NULL,
  tool TEXT NOT NULL,
  arguments TEXT NOT NULL,
  consent INTEGER NOT NULL,
  plan_digest TEXT NOT NULL,
  basis TEXT NOT NULL,
  summary TEXT NOT NULL,
  amount INTEGER NOT NULL,
  queue TEXT NOT NULL,
  approvals INTEGER NOT NULL,
  policy TEXT NOT NULL,
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  status TEXT NOT NULL,
  message TEXT,
  packet TEXT NOT NULL,
  result TEXT,
  effects TEXT NOT NULL,
  fence INTEGER NOT NULL,
  lease_until TEXT,
  PRIMARY KEY (shop, id)
);

CREATE INDEX escalation_customer ON escalation (shop, customer_id) WHERE customer_id IS NOT NULL;

CREATE INDEX escalation_status ON escalation (shop, status);

CREATE TABLE approval (
  shop TEXT NOT NULL,
  escalation_id TEXT NOT NULL,
  reviewer TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (shop, escalation_id, reviewer)
);

CREATE TABLE audit (
  shop TEXT NOT NULL,
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL,
  "before" INTEGER,
  record BLOB NOT NULL,
  PRIMARY KEY (shop, seq)
);

CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log only grows') ; END;

CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log only grows') ; END;

CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE (shop = NEW.shop AND seq = NEW.seq) OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'the audit log only grows') ; END;

CREATE TABLE personal (
  shop TEXT NOT NULL,
  seq INTEGER NOT NULL,
  entries BLOB NOT NULL,
  PRIMARY KEY (shop, seq)
);

CREATE TABLE policy_version (
  shop TEXT NOT NULL,
  seq INTEGER NOT NULL,
  digest TEXT NOT NULL,
  source TEXT NOT NULL,
  text TEXT NOT NULL,
  served_at TEXT NOT NULL,
  PRIMARY KEY (shop, seq)
);

CREATE TABLE serving (
  shop TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (shop, name)
);

CREATE TABLE paused (
  shop TEXT NOT NULL,
  tool TEXT NOT NULL,
  "by" TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (shop, tool)
);

CREATE TABLE outbox (
  shop TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at TEXT NOT NULL,
  recipient TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  sent_at TEXT,
  PRIMARY KEY (shop, seq)
);
