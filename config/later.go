package config

// notYet are the keys of the design that later work brings, as the reference spells their paths. They are refused, not
// ignored; whoever builds one deletes its line here and adds its field to the table.
var notYet = map[string]bool{
	"fleet": true,
}

// notYetNamed are those of notYet that hold one table for each name.
var notYetNamed = map[string]bool{}

// notYetKeys are the key sources later work brings.
var notYetKeys = []string{}

// notYetMetrics are the metrics later work brings; "signal." stands for all that begin so.
var notYetMetrics = []string{}

// notYetWords are the words of an enum later work brings.
var notYetWords = map[string][]string{}

// meant are keys that people write where another table has them, and the key that is right here.
var meant = map[string]string{"rollout.NAME.stage.every": "for"}
