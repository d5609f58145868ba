package config

import (
	"reflect"
	"strings"
)

// AdminURL says where the admin API of a daemon that runs the file at path is: "host:port", "https://host:port" or
// "unix:/path". Only [admin] is looked at: who wants to roll back needs neither the daemon's secrets nor a file without a
// mistake elsewhere.
func AdminURL(path string, opts Options) (string, []Problem) {
	data, problems := bytesOf(path, opts.orReal())
	if len(problems) > 0 {
		return "", problems
	}
	d, tree, problems := treeOf(path, data)
	if len(problems) > 0 {
		return "", problems
	}
	c := &Config{}
	admin := map[string]any{}
	if table, ok := tree["admin"]; ok {
		admin["admin"] = table
	}
	d.table("", "", admin, reflect.ValueOf(c).Elem())
	if len(d.problems) > 0 {
		return "", ordered(d.problems)
	}
	address := string(c.Admin.Address)
	if c.Admin.TLS != nil && !strings.HasPrefix(address, "unix:") {
		return "https://" + address, nil
	}
	return address, nil
}
