package config

import (
	"os"
	"strings"
	"testing"
)

// parsed parses a file of testdata that has no problem.
func parsed(t *testing.T, name string) *Plan {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	plan, problems := Parse("serin.toml", data, sealed(nil, nil))
	if plan == nil {
		t.Fatal(problems)
	}
	return plan
}

func TestEffective_ParsedAgain_IsTheSame(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"smallest.toml", "supported.toml", "warnings.toml"} {
		once := Effective(parsed(t, name))
		again, problems := Parse("serin.toml", []byte(once), sealed(nil, nil))
		if again == nil {
			t.Fatalf("%s: %v in\n%s", name, problems, once)
		}
		if got, want := len(again.Warnings), len(parsed(t, name).Warnings); got > want {
			t.Errorf("%s: written out it has %d warnings, before %d: %v", name, got, want, again.Warnings)
		}
		if twice := Effective(again); twice != once {
			t.Errorf("%s: got\n%s\nwant\n%s", name, twice, once)
		}
	}
}

func TestEffective_Smallest_ShowsDefaultsAndWhatIsDerived(t *testing.T) {
	t.Parallel()
	golden(t, "testdata/effective.golden", Effective(parsed(t, "smallest.toml")))
}

func TestEffective_Secret_StaysAReference(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/smallest.toml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(data), `stable = "v1"`, "stable = \"v1\"\nsalt = { env = \"SALT\" }", 1)
	plan, problems := Parse("serin.toml", []byte(text), sealed(nil, map[string]string{"SALT": "very-secret"}))
	if plan == nil {
		t.Fatal(problems)
	}
	got := Effective(plan)
	if strings.Contains(got, "very-secret") || !strings.Contains(got, `salt = { env = "SALT" }`) {
		t.Errorf("got\n%s", got)
	}
}

func TestTree_OfTheEffectiveText_HasItsKeys(t *testing.T) {
	t.Parallel()
	tree, err := Tree(Effective(parsed(t, "smallest.toml")))
	if err != nil {
		t.Fatal(err)
	}
	rollout := tree["rollout"].(map[string]any)["checkout"].(map[string]any)
	if rollout["every"] != "15m" || rollout["expose"] != false || len(rollout["ladder"].([]any)) != 4 {
		t.Errorf("got %v", rollout)
	}
	if _, err := Tree("a = "); err == nil {
		t.Error("what is no TOML has a tree")
	}
}

func TestEffective_ListOfNothing_StaysOne(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/smallest.toml")
	if err != nil {
		t.Fatal(err)
	}
	plan, problems := Parse("serin.toml", append(data, "\n[notify.ops]\nkind = \"command\"\ncommand = [\"send\"]\nevents = []\n"...), sealed(nil, nil))
	if plan == nil {
		t.Fatal(problems)
	}
	if got := Effective(plan); !strings.Contains(got, "events = []\n") {
		t.Errorf("a list of no events would be the default one when it is read again: got\n%s", got)
	}
}
