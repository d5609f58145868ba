package config

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// FuzzParse: nothing panics; a problem points into the file; a plan's effective configuration parses to itself.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	opts := sealed(map[string]string{"salt": "secret"}, map[string]string{"SALT": "secret"})
	f.Fuzz(func(t *testing.T, data []byte) {
		plan, problems := Parse("serin.toml", data, opts)
		if plan == nil {
			if len(problems) == 0 {
				t.Fatal("neither a plan nor a problem")
			}
			for _, p := range problems {
				if p.Line < 0 || p.Line > bytes.Count(data, []byte("\n"))+1 {
					t.Errorf("%q is outside the file", p)
				}
			}
			return
		}
		once := Effective(plan)
		again, problems := Parse("serin.toml", []byte(once), opts)
		if again == nil {
			t.Fatalf("%v in\n%s", problems, once)
		}
		if twice := Effective(again); twice != once {
			t.Errorf("got\n%s\nwant\n%s", twice, once)
		}
		_ = TimetableText(plan.Timetable(10, .01))
	})
}
