"""Code in ten languages, as a model writes it."""

from __future__ import annotations

# `Thing`, `thing`, `field` and `42` stand for what differs from one piece of code to the next.
CODE = {
    "python": '''\
@dataclass(frozen=True)
class Thing:
    """A thing with its field, as the ledger keeps it."""

    id: str
    field: int = 42

    def scaled(self, factor: float) -> "Thing":
        if factor <= 0:
            raise ValueError(f"factor must be positive, not {factor!r}")
        return replace(self, field=round(self.field * factor))


def load_things(path: Path, *, limit: int = 42) -> list[Thing]:
    rows = csv.DictReader(path.open(newline=""))
    return [Thing(row["id"], int(row["field"])) for row in islice(rows, limit)]
''',
    "typescript": """\
export interface Thing {
  readonly id: string
  field?: number
}

/** Keeps the newest things, at most 42 of them. */
export class ThingCache<T extends Thing> {
  private readonly kept = new Map<string, T>()

  async fetch(id: string, load: (id: string) => Promise<T>): Promise<T> {
    const found = this.kept.get(id) ?? (await load(id))
    this.kept.set(id, { ...found, field: (found.field ?? 0) + 1 })
    if (this.kept.size > 42) this.kept.delete([...this.kept.keys()][0])
    return found
  }
}
""",
    "go": """\
type Thing struct {
	ID    string `json:"id"`
	Field int64  `json:"field,omitempty"`
}

// FindThing returns the first thing whose field is at least 42.
func (s *Store) FindThing(ctx context.Context, id string) (*Thing, error) {
	row := s.db.QueryRowContext(ctx, "SELECT id, field FROM things WHERE id = $1", id)
	var thing Thing
	if err := row.Scan(&thing.ID, &thing.Field); err != nil {
		return nil, fmt.Errorf("find thing %q: %w", id, err)
	}
	return &thing, nil
}
""",
    "rust": """\
#[derive(Debug, Clone, PartialEq)]
pub struct Thing<'a> {
    id: &'a str,
    field: Option<u64>,
}

impl<'a> Thing<'a> {
    pub fn parse(line: &'a str) -> Result<Self, ParseError> {
        let (id, rest) = line.split_once(':').ok_or(ParseError::Missing("field"))?;
        let field = rest.trim().parse().ok().filter(|n| *n < 42);
        Ok(Self { id, field })
    }
}
""",
    "java": """\
public record Thing(String id, int field) implements Comparable<Thing> {
    private static final int MAX_FIELD = 42;

    public Thing {
        Objects.requireNonNull(id, "a thing needs an id");
        if (field > MAX_FIELD) throw new IllegalArgumentException("field: " + field);
    }

    @Override
    public int compareTo(Thing other) {
        return Comparator.comparing(Thing::field).thenComparing(Thing::id).compare(this, other);
    }
}
""",
    "c": """\
struct thing {
    char id[42];
    uint32_t field;
    struct thing *next;
};

/* Returns the thing with this id, or NULL. */
static const struct thing *thing_find(const struct thing *head, const char *id)
{
    for (const struct thing *it = head; it != NULL; it = it->next)
        if (strncmp(it->id, id, sizeof it->id) == 0 && it->field != 0)
            return it;
    return NULL;
}
""",
    "sql": """\
-- Things whose field went over 42 in the last month.
WITH recent AS (
    SELECT thing_id, max(field) AS field, count(*) AS seen
    FROM thing_events
    WHERE created_at > now() - interval '42 days'
    GROUP BY thing_id
)
SELECT t.id, r.field, coalesce(r.seen, 0) AS seen
FROM things AS t LEFT JOIN recent AS r ON r.thing_id = t.id
WHERE r.field >= 42 OR t.field IS NULL
ORDER BY r.field DESC LIMIT 42;
""",
    "bash": """\
# Copies every thing that changed, at most 42 at a time.
sync_things() {
  local source=$1 target=${2:?a folder is needed}
  find "$source" -name '*.thing' -newer "$target/.field" -print0 |
    xargs -0 -n 42 -P 4 rsync --archive --relative -- "$target" || return 1
  if [[ -n "${DRY_RUN:-}" ]]; then echo "field of thing: $(wc -l < "$source/field")"; fi
  touch "$target/.field"
}
""",
    "css": """\
.thing > .field:not(:last-child) {
  display: grid;
  grid-template-columns: minmax(0, 42ch) auto;
  color: var(--thing-ink, #2b323c);
  transition: opacity 42ms ease-in;
}

@media (prefers-color-scheme: dark) {
  .thing { background: rgb(20 23 28 / 42%); }
}
""",
    "yaml": """\
thing:
  image: "registry.internal/thing:1.42"
  environment:
    THING_FIELD: "42"
    LOG_LEVEL: debug
  healthcheck:
    test: ["CMD", "thing", "--check", "field"]
    interval: 42s
  depends_on: [database, queue]
""",
}
ENDINGS = dict(
    zip(CODE, ("py", "ts", "go", "rs", "java", "c", "sql", "sh", "css", "yaml"), strict=True),
)
LANGUAGES = tuple(CODE)
