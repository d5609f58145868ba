package wire

// fieldScan is the one pass over a field section, shared by requests, responses and trailers.
type fieldScan struct {
	max        int        // field lines
	underscore Underscore //
	unfold     bool       // responses: a folded line is joined in place by spaces; requests refuse

	fields []Field // memory, then fields[:n] is the result
	n      int
	seen   set // kinds present
	twice  set // kinds present more than once
	folded bool
}

// Reasons for a scan to stop; mapped to an *Error by the caller's table.
type fieldFault uint8

const (
	fieldsDone fieldFault = iota
	fieldsMore
	faultName
	faultValue
	faultFold
	faultUnderscore
	faultMany
)

// err maps a fault to the request's refusal.
func (f fieldFault) err() error {
	switch f {
	case fieldsDone, fieldsMore:
		return nil
	case faultName:
		return errFieldName
	case faultValue:
		return errFieldValue
	case faultFold:
		return errFold
	case faultUnderscore:
		return errUnderscore
	case faultMany:
		return errFieldsMany
	}
	panic("BUG: unknown field fault")
}

// run scans field lines from b[i] to the empty line and returns the index behind it.
func (s *fieldScan) run(b []byte, i int) (int, fieldFault) {
	first := i
	for i+1 < len(b) {
		switch b[i] {
		case '\r':
			if b[i+1] != '\n' {
				return i, faultName
			}
			return i + 2, fieldsDone
		case ' ', '\t':
			if !s.unfold || i == first {
				return i, faultFold
			}
			var f fieldFault
			if i, f = s.join(b, i); f != fieldsDone {
				return i, f
			}
			continue
		}
		if s.n == len(s.fields) && !s.grow() {
			return i, faultMany
		}
		var f fieldFault
		if i, f = s.line(b, i); f != fieldsDone {
			return i, f
		}
	}
	if i < len(b) && b[i] != '\r' && b[i] != ' ' && b[i] != '\t' && tokens[b[i]] == 0 {
		return i, faultName
	}
	return i, fieldsMore
}

// grow makes room for another field; false at the limit.
func (s *fieldScan) grow() bool {
	if s.n >= s.max {
		return false
	}
	grown := make([]Field, min(max(2*s.n, 32), s.max))
	copy(grown, s.fields)
	s.fields = grown
	return true
}

// line reads one field line that starts at b[i]. fields[n] exists.
func (s *fieldScan) line(b []byte, i int) (int, fieldFault) {
	start := i
	i, class := nameEnd(b, start)
	if i == len(b) {
		return i, fieldsMore
	}
	if b[i] != ':' || i == start {
		return i, faultName
	}
	f := &s.fields[s.n]
	f.Start, f.NameEnd = uint32(start), uint32(i)
	k := kindOther
	if class&tokenUnder == 0 {
		k = classify(b[start:i])
	} else if s.underscore == UnderscoreReject {
		return i, faultUnderscore
	} else {
		k = classifyUnderscore(b[start:i], s.underscore)
	}
	i++
	for i < len(b) && (b[i] == ' ' || b[i] == '\t') {
		i++
	}
	end := textEnd(b, i)
	if end+1 >= len(b) || b[end] != '\r' || b[end+1] != '\n' {
		if end < len(b) && (b[end] != '\r' || end+1 < len(b)) {
			return end, faultValue
		}
		return end, fieldsMore
	}
	f.Value, f.End, f.kind = uint32(i), uint32(end+2), k
	next := end + 2
	for end > i && (b[end-1] == ' ' || b[end-1] == '\t') {
		end--
	}
	f.ValueEnd = uint32(end)
	s.twice |= s.seen & k.set()
	s.seen |= k.set()
	s.n++
	return next, fieldsDone
}

// join appends the continuation line at b[i] to the field before it: the line end between them becomes two spaces
// (RFC 9112 5.2), so value and line just grow.
func (s *fieldScan) join(b []byte, i int) (int, fieldFault) {
	end := textEnd(b, i)
	if end+1 >= len(b) {
		if end < len(b) && b[end] != '\r' {
			return end, faultValue
		}
		return end, fieldsMore
	}
	if b[end] != '\r' || b[end+1] != '\n' {
		return end, faultValue
	}
	b[i-2], b[i-1] = ' ', ' '
	f := &s.fields[s.n-1]
	f.End = uint32(end + 2)
	value := trim(b[f.NameEnd+1 : end])
	f.ValueEnd = f.Value
	if len(value) > 0 {
		f.Value = uint32(end - len(b[f.NameEnd+1:end]))
		for b[f.Value] == ' ' || b[f.Value] == '\t' {
			f.Value++
		}
		f.ValueEnd = f.Value + uint32(len(value))
	}
	s.folded = true
	return end + 2, fieldsDone
}

// find returns the first field of kind k, nil without one.
func find(fields []Field, k kind) *Field {
	for i := range fields {
		if fields[i].kind == k {
			return &fields[i]
		}
	}
	return nil
}

// value returns the value of the first field called name.
func value(b []byte, fields []Field, name string) []byte {
	for i := range fields {
		f := &fields[i]
		if len(name) == int(f.NameEnd-f.Start) && equalNames(b[f.Start:f.NameEnd], name) {
			return b[f.Value:f.ValueEnd:f.ValueEnd]
		}
	}
	return nil
}
