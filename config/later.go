package config

// notYet are the keys that later work brings, as the reference spells their paths. They are refused, not ignored; whoever
// builds one deletes its line here and adds its field to the table.
var notYet = map[string]bool{
	"fleet": true,
}

// meant are keys that people write where another table has them, and the key that is right here.
var meant = map[string]string{"rollout.NAME.stage.every": "for"}
